import { StageError } from "../../errors.js";
import type { BlockFiller } from "./block-filler.js";

/** What decompresses one stream, synchronously, on the calling thread. */
export interface Engine {
  /** Decompresses `input`, which may be reused afterwards. Yields the blocks that became full. */
  push(input: Buffer, blocks: BlockFiller): Generator<Buffer, void, void>;
  /** The same for what was held back. @throws StageError IMAGE_INVALID for an incomplete stream */
  end(blocks: BlockFiller): Generator<Buffer, void, void>;
}

export type EngineFormat = "gzip" | "zstd";

/** The error of a stream that can't be decompressed to its end. */
export function damaged(format: EngineFormat, cause: unknown): StageError {
  return new StageError("IMAGE_INVALID", `the ${format} data is damaged or truncated`, {
    hint: "fetch or copy the image again",
    cause,
  });
}
