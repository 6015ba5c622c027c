import { StageError, within } from "../../errors.js";
import { stopRing } from "../../host/block-ring.js";
import { detectCompression, magicLength } from "../../host/compression.js";
import { readStart } from "../../host/span.js";
import { checkDigest, digestFromHash, splitDigest } from "../../oci/digest.js";
import type { LayerRecord } from "../layer-record.js";
import { type Outcome, resultOf } from "../outcome.js";
import type { UnpackLayerTask } from "../unpack-layer.js";
import { leaveFillQueue } from "./fill-queue.js";
import type { Hashes, HashTask } from "./hash-stage.js";
import type { InflateTask } from "./inflate-stage.js";
import { createPipelineMemory } from "./memory.js";
import type { FillTask, TreeTask } from "./tree-stage.js";

/**
 * The stages of unpacking one layer, each run on a thread of its own. A promise is rejected where
 * that can't be, and only when no thread works on it.
 */
export interface Stages {
  inflate(task: InflateTask): Promise<Outcome<void>>;
  hashBlocks(task: HashTask): Promise<Outcome<Hashes>>;
  makeTree(task: TreeTask): Promise<Outcome<LayerRecord>>;
  fillFiles(task: FillTask): Promise<Outcome<string | null>>;
}

/**
 * What {@link unpackLayer} does, by four threads that each do a part of it all the time: for a
 * layer so large that others would have to wait for it. Gives the same tree, record and errors.
 * @param options.signal gives the work up; the promise is rejected when no thread works on it any more
 */
export async function unpackInStages(
  task: UnpackLayerTask,
  { stages, signal }: { stages: Stages; signal: AbortSignal },
): Promise<LayerRecord> {
  const { span, diffId, digest, tree, policy, limits, progress, listing } = task;
  const memory = createPipelineMemory();
  const stop = () => stopRing(memory.ring);
  signal.addEventListener("abort", stop, { once: true });
  try {
    const compression = detectCompression(readStart(span, magicLength));
    const filling = stages.fillFiles({ memory, tree, listing });
    filling.catch(() => leaveFillQueue(memory.queue));
    const outcomes = await allOf(
      [
        stages.makeTree({ memory, tree, policy, limits, listing }),
        filling,
        stages.inflate({ memory, span, compression, limits, progress }),
        stages.hashBlocks({
          memory,
          blob: digest && splitDigest(digest).algorithm,
          tar: splitDigest(diffId).algorithm,
          isPlain: compression === "none",
        }),
      ],
      stop,
    );
    signal.throwIfAborted();
    // In the order of the stream: what the tree can't take comes before what could not be read.
    for (const outcome of outcomes) {
      if (!outcome.ok && outcome.error !== "stopped") throw StageError.fromReport(outcome.error);
    }
    const [made, filled, , hashed] = outcomes;
    const record = withDigests(resultOf(made), resultOf(filled));
    const hashes = resultOf(hashed);
    if (digest && hashes.blob !== null) {
      const actual = digestFromHash(hashes.blob, { like: digest });
      checkDigest("its blob", { expected: digest, actual });
    }
    const actual = digestFromHash(hashes.tar, { like: diffId });
    checkDigest("its diffID", { expected: diffId, actual });
    return record;
  } catch (error) {
    throw within(`layer ${diffId}`, error);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** Each of the two threads knows one of the listing's files. */
function withDigests(record: LayerRecord, hash: string | null): LayerRecord {
  const { listing } = record;
  if (!listing) return record;
  return { ...record, listing: { ...listing, hashes: { ...listing.hashes, digests: hash } } };
}

/** Waits for all, also when one of them fails: then the others are stopped. */
async function allOf<Promises extends readonly Promise<unknown>[]>(
  promises: readonly [...Promises],
  stop: () => void,
): Promise<{ [K in keyof Promises]: Awaited<Promises[K]> }> {
  for (const promise of promises) promise.catch(stop);
  await Promise.allSettled(promises);
  return await Promise.all(promises);
}
