import { createHash } from "node:crypto";
import type { HashAlgorithm } from "../../host/hash.js";
import { type PipelineMemory, readForHashing } from "./memory.js";

export interface HashTask {
  readonly memory: PipelineMemory;
  /** By what to hash the blob, where that is asked for at all. */
  readonly blob: HashAlgorithm | null;
  /** By what to hash the tar archive. */
  readonly tar: HashAlgorithm;
  /** Whether the blob is the archive itself. */
  readonly isPlain: boolean;
}

/** Hashes in hex. */
export interface Hashes {
  readonly blob: string | null;
  readonly tar: string;
}

/** Hashes a blob and what it holds as they pass by. @throws WorkStopped */
export function hashBlocks({ memory, blob, tar, isPlain }: HashTask): Hashes {
  const blocks = readForHashing(memory);
  const ofTar = createHash(tar);
  const isOne = isPlain && blob === tar;
  const ofBlob = blob === null || isOne ? undefined : createHash(blob);
  for (let block = blocks.next(); block; block = blocks.next()) {
    if (block.output.length > 0) ofTar.update(block.output);
    const stored = isPlain ? block.output : block.input;
    if (stored.length > 0) ofBlob?.update(stored);
    blocks.release();
  }
  const hash = ofTar.digest("hex");
  return { tar: hash, blob: isOne ? hash : (ofBlob?.digest("hex") ?? null) };
}
