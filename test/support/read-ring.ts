import type { PipelineMemory } from "../../src/extract/pipeline/memory.js";
import { RingReader } from "../../src/host/block-ring.js";

/** What came through a ring, for each of its readers the same. */
export interface RingContent {
  readonly input: Buffer;
  readonly output: Buffer;
  /** The lengths of each block's areas. */
  readonly lengths: readonly { readonly input: number; readonly output: number }[];
}

/**
 * Reads a pipeline's ring to its end, on this thread, as all of its readers.
 * @throws WorkStopped
 */
export function readRing(
  { ring }: PipelineMemory,
  seen: RingBlocks = new RingBlocks(),
): RingContent {
  const [one, ...others] = Array.from(
    { length: ring.shape.readers },
    (_, i) => new RingReader(ring, i),
  );
  if (!one) throw new Error("a ring without readers");
  for (let block = one.next(); block; block = one.next()) {
    seen.add(block);
    for (const other of others) other.next();
    for (const reader of [one, ...others]) reader.release();
  }
  return seen.content();
}

/** Blocks of a ring, copied; what came before a failure stays to be looked at. */
export class RingBlocks {
  readonly #blocks: { input: Buffer; output: Buffer }[] = [];

  add({ input, output }: { input: Buffer; output: Buffer }): void {
    this.#blocks.push({ input: Buffer.from(input), output: Buffer.from(output) });
  }

  content(): RingContent {
    return {
      input: Buffer.concat(this.#blocks.map(({ input }) => input)),
      output: Buffer.concat(this.#blocks.map(({ output }) => output)),
      lengths: this.#blocks.map(({ input, output }) => {
        return { input: input.length, output: output.length };
      }),
    };
  }
}
