import { Gunzip, ZstdDecompress } from "minizlib";
import { damaged, type Engine, type EngineFormat } from "./engine.js";

/**
 * How much is decompressed at once, in bytes of input. It bounds what a bomb can make of it in
 * memory: 64 MiB, since gzip makes a thousand bytes of one and zstd 128 KiB of four.
 */
const steps = { gzip: 64 * 1024, zstd: 2 * 1024 };

/** Made anew for each stream, because minizlib writes into it; its types do not know `chunkSize`. */
function options(): { chunkSize: number } & ConstructorParameters<typeof Gunzip>[0] {
  return { chunkSize: 256 * 1024 };
}

/** minizlib, for a Node whose streams are not what the engine of ours expects. */
export function minizlibEngine(format: EngineFormat): Engine {
  const stream = format === "gzip" ? new Gunzip(options()) : new ZstdDecompress(options());
  let out: Buffer[] = [];
  let failure: Error | undefined;
  stream.on("data", (chunk) => out.push(chunk));
  stream.on("error", (error) => {
    failure = error instanceof Error ? error : new Error(String(error));
  });
  const taken = () => {
    if (failure) throw damaged(format, failure);
    const pieces = out;
    out = [];
    return pieces;
  };
  const step = steps[format];
  return {
    *push(input, blocks) {
      for (let at = 0; at < input.length; at += step) {
        stream.write(input.subarray(at, at + step));
        for (const piece of taken()) yield* blocks.copy(piece);
      }
    },
    *end(blocks) {
      stream.end();
      for (const piece of taken()) yield* blocks.copy(piece);
    },
  };
}
