import { createRing, type RingMemory, RingReader } from "../../host/block-ring.js";
import { outputBlock } from "../../host/decompress/block-filler.js";
import { inputChunk } from "../../host/decompress/decompress.js";
import { createFillQueue, type FillQueueMemory } from "./fill-queue.js";

/**
 * The memory that the threads of one layer share: blocks on their way from decompression to the
 * tree and to the hashes, and orders to write files from them.
 */
export interface PipelineMemory {
  readonly ring: RingMemory;
  readonly queue: FillQueueMemory;
}

const readers = { hashing: 0, tree: 1 };

/** Enough to even out that one stage is fast where another is slow. */
const blocks = 12;

/** Room for what yields a block even where it could not be compressed, in whole pieces. */
const inputArea = outputBlock + inputChunk;

export function createPipelineMemory(): PipelineMemory {
  const shape = { blocks, input: inputArea, output: outputBlock, readers: 2 };
  return { ring: createRing(shape), queue: createFillQueue() };
}

export function readForHashing({ ring }: PipelineMemory): RingReader {
  return new RingReader(ring, readers.hashing);
}

export function readForTree({ ring }: PipelineMemory): RingReader {
  return new RingReader(ring, readers.tree);
}
