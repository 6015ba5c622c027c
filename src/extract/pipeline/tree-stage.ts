import { fromSystemError } from "../../errors.js";
import { stopRing } from "../../host/block-ring.js";
import type { Limits } from "../../oci/limits.js";
import type { LayerRecord } from "../layer-record.js";
import { DigestLog } from "../listing/digest-log.js";
import type { ListingPlace } from "../listing/listing.js";
import type { OwnershipPolicy } from "../policy.js";
import { writeTree } from "../write-tree.js";
import { carryOutOrders, QueuedFiller } from "./fill-queue.js";
import { type PipelineMemory, readForTree } from "./memory.js";

export interface FillTask {
  readonly memory: PipelineMemory;
  /** An empty directory that nobody else writes to. */
  readonly tree: string;
  /** Where to write down what the tree holds; without it, that is not done. */
  readonly listing?: ListingPlace | undefined;
}

export interface TreeTask extends FillTask {
  readonly policy: OwnershipPolicy;
  readonly limits: Limits;
}

/**
 * Reads the archive and makes all that has a name; the content of files is left to
 * {@link fillFiles}, which has to run beside it.
 * @throws what {@link writeTree} throws; WorkStopped
 */
export function makeTree(task: TreeTask): LayerRecord {
  const { memory, tree: root, policy, limits, listing } = task;
  const ring = readForTree(memory);
  const filler = new QueuedFiller(memory.queue, { ring, data: memory.ring.data });
  function* pieces(): Generator<Buffer, undefined> {
    for (let block = ring.next(); block; block = ring.next()) {
      if (block.output.length > 0) yield block.output;
      filler.releaseBlock();
    }
  }
  try {
    const record = writeTree(pieces(), { root, policy, limits, listing, filler });
    filler.end();
    return record;
  } catch (error) {
    stopRing(memory.ring);
    filler.abandon();
    throw fromSystemError(error, `unpack into ${root}`);
  }
}

/**
 * Fills the files that {@link makeTree} makes.
 * @returns the hash of the file with their digests, in hex; null where there is none
 * @throws WorkStopped, StageError NO_SPACE
 */
export function fillFiles({ memory, tree, listing }: FillTask): string | null {
  let digests: DigestLog | undefined;
  try {
    digests = DigestLog.open(listing);
    const source = { ring: readForTree(memory), data: memory.ring.data, digests };
    carryOutOrders(memory.queue, source);
    return digests?.finish() ?? null;
  } catch (error) {
    stopRing(memory.ring);
    throw fromSystemError(error, `unpack into ${tree}`);
  } finally {
    digests?.close();
  }
}
