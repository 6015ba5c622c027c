import { StageError } from "../errors.js";

export type Compression = "none" | "gzip" | "zstd";

/** What tells one compression from another is this long at most, in bytes. */
export const magicLength = 8;

/**
 * Tells how a blob is compressed by its first bytes, as all readers of images do: media types are
 * often wrong about it.
 * @throws StageError IMAGE_UNSUPPORTED for compressions that images do not use
 */
export function detectCompression(start: Buffer): Compression {
  if (start[0] === 0x1f && start[1] === 0x8b) return "gzip";
  if (start.length >= 4) {
    const magic = start.readUInt32LE(0);
    // A zstd stream may also begin with a skippable frame, 0x184D2A50 to 0x184D2A5F.
    if (magic === 0xfd2fb528 || (magic & 0xfffffff0) >>> 0 === 0x184d2a50) return "zstd";
  }
  for (const [name, begins] of otherCompressions) {
    if (begins(start.toString("latin1", 0, magicLength))) {
      throw new StageError("IMAGE_UNSUPPORTED", `compressed with ${name}, which is not supported`, {
        hint: "compress it with gzip or zstd, or not at all",
      });
    }
  }
  return "none";
}

const otherCompressions: readonly (readonly [string, (start: string) => boolean])[] = [
  ["xz", (start) => start.startsWith("\xfd7zXZ\0")],
  ["bzip2", (start) => /^BZh[1-9]/.test(start) && bzip2Blocks.has(start.slice(4, 8))],
  ["lz4", (start) => start.startsWith("\x04\x22M\x18")],
];

/** How bzip2's first block begins, or its end; a tar archive may begin with the name "BZh9". */
const bzip2Blocks: ReadonlySet<string> = new Set(["1AY&", "\x17rE8"]);
