import * as zlib from "node:zlib";
import { Decompress as JsZstd } from "fzstd";
import { Gunzip, ZstdDecompress } from "minizlib";
import { StageError } from "../errors.js";
import type { Compression } from "./compression.js";
import { ZstdFrames } from "./zstd-frames.js";

/** Takes compressed bytes and gives what they hold, on this thread. */
export interface Decompressor {
  /** What `chunk` yields, made as it is iterated over. The chunk may be reused after the last. */
  push(chunk: Buffer): Iterable<Buffer>;
  /** What was held back. @throws StageError IMAGE_INVALID when the compressed data is incomplete */
  end(): Iterable<Buffer>;
}

/** A good size for the pieces that a compressed blob is read in, in bytes. */
export const inputChunk: number = 64 * 1024;

/**
 * How much is decompressed at once, in bytes of input. It bounds what a bomb can make of it in
 * memory: 64 MiB, since gzip makes a thousand bytes of one and zstd 128 KiB of four.
 */
const steps = { gzip: 64 * 1024, zstd: 2 * 1024 };

/** Made anew for each stream, because minizlib writes into it; its types do not know `chunkSize`. */
function zlibOptions(): { chunkSize: number } & ConstructorParameters<typeof Gunzip>[0] {
  return { chunkSize: 256 * 1024 };
}

export function createDecompressor(compression: "gzip" | "zstd"): Decompressor {
  return compression === "gzip" ? inSteps(nativeDecompressor("gzip"), steps.gzip) : zstd();
}

function zstd(): Decompressor {
  const decoder = "ZstdDecompress" in zlib ? nativeDecompressor("zstd") : jsZstdDecompressor();
  const frames = new ZstdFrames();
  const checked: Decompressor = {
    push(chunk) {
      frames.follow(chunk);
      return decoder.push(chunk);
    },
    end() {
      frames.end();
      return decoder.end();
    },
  };
  return inSteps(checked, steps.zstd);
}

function inSteps(decompressor: Decompressor, step: number): Decompressor {
  return {
    *push(chunk) {
      for (let at = 0; at < chunk.length; at += step) {
        yield* decompressor.push(chunk.subarray(at, at + step));
      }
    },
    end: () => decompressor.end(),
  };
}

function nativeDecompressor(compression: "gzip" | "zstd"): Decompressor {
  const stream =
    compression === "gzip" ? new Gunzip(zlibOptions()) : new ZstdDecompress(zlibOptions());
  let out: Buffer[] = [];
  let failure: Error | undefined;
  stream.on("data", (chunk) => out.push(chunk));
  stream.on("error", (error) => {
    failure = error instanceof Error ? error : new Error(String(error));
  });
  const taken = () => {
    if (failure) throw damaged(compression, failure);
    const pieces = out;
    out = [];
    return pieces;
  };
  return {
    push(chunk) {
      stream.write(chunk);
      return taken();
    },
    end() {
      stream.end();
      return taken();
    },
  };
}

/** For Node before 22.15, which has no zstd of its own: a fifth of the speed, but always there. */
function jsZstdDecompressor(): Decompressor {
  let out: Buffer[] = [];
  const stream = new JsZstd((piece) => {
    out.push(Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength));
  });
  const feed = (chunk: Buffer, isLast: boolean) => {
    try {
      // It keeps what it could not use yet, so it needs bytes of its own.
      stream.push(Uint8Array.from(chunk), isLast);
    } catch (error) {
      throw damaged("zstd", error);
    }
    const pieces = out;
    out = [];
    return pieces;
  };
  return { push: (chunk) => feed(chunk, false), end: () => feed(Buffer.alloc(0), true) };
}

function damaged(compression: Compression, cause: unknown): StageError {
  return new StageError("IMAGE_INVALID", `the ${compression} data is damaged or truncated`, {
    hint: "fetch or copy the image again",
    cause,
  });
}
