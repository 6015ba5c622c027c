import * as zlib from "node:zlib";
import { loadLater } from "../loading-gate.js";
import { BlockFiller } from "./block-filler.js";
import type { Engine, EngineFormat } from "./engine.js";
import { zlibEngine } from "./zlib-engine.js";
import { ZstdFrames } from "./zstd-frames.js";

/** Takes compressed bytes and gives what they hold, on this thread. */
export interface Decompressor {
  /**
   * What `input` yields, in full blocks, made as it is iterated over. The input may be reused after
   * the last. @throws StageError IMAGE_INVALID for damaged data
   */
  push(input: Buffer): Iterable<Buffer>;
  /** What the block that is being filled holds so far, if anything; a new block comes after it. */
  take(): Buffer | undefined;
  /** What was held back. @throws StageError IMAGE_INVALID when the compressed data is incomplete */
  end(): Iterable<Buffer>;
}

export interface DecompressorOptions {
  /** What decompresses; see {@link openEngine}. */
  readonly engine: Engine;
  /** Gives the memory to decompress into. */
  readonly nextBlock: () => Buffer;
}

/** A good size for the pieces that a compressed blob is read in, in bytes. */
export const inputChunk: number = 64 * 1024;

/** Memory stays flat whatever the data claims to hold: blocks are filled one after another. */
export function createDecompressor(
  format: EngineFormat,
  { engine, nextBlock }: DecompressorOptions,
): Decompressor {
  const blocks = new BlockFiller(nextBlock);
  const frames = format === "zstd" ? new ZstdFrames() : undefined;
  return {
    push(input) {
      frames?.follow(input);
      return engine.push(input, blocks);
    },
    take: () => blocks.rest(),
    *end() {
      frames?.end();
      yield* engine.end(blocks);
      const rest = blocks.rest();
      if (rest) yield rest;
    },
  };
}

/** An engine for one stream, the fastest that this Node has. */
export async function openEngine(format: EngineFormat): Promise<Engine> {
  const engine = zlibEngine(format);
  if (engine) return engine;
  if (format === "gzip" || "ZstdDecompress" in zlib) {
    const { minizlibEngine } = await loadLater(() => import("./minizlib-engine.js"));
    return minizlibEngine(format);
  }
  const { fzstdEngine } = await loadLater(() => import("./fzstd-engine.js"));
  return fzstdEngine();
}
