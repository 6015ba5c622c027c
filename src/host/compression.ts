import { StageError } from "../errors.js";

export type Compression = "none" | "gzip" | "zstd";

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
  for (const [name, magic] of otherCompressions) {
    if (start.subarray(0, magic.length).equals(magic)) {
      throw new StageError("IMAGE_UNSUPPORTED", `compressed with ${name}, which is not supported`, {
        hint: "compress it with gzip or zstd, or not at all",
      });
    }
  }
  return "none";
}

const otherCompressions: readonly (readonly [string, Buffer])[] = [
  ["xz", Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00])],
  ["bzip2", Buffer.from("BZh", "latin1")],
  ["lz4", Buffer.from([0x04, 0x22, 0x4d, 0x18])],
];
