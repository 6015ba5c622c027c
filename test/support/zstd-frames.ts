const magic = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
const skippableMagic = Buffer.from([0x50, 0x2a, 0x4d, 0x18]);
const largestBlock = 128 * 1024;

/**
 * A zstd stream that holds `content` in stored blocks (RFC 8878), made by hand because not every
 * supported Node has a zstd compressor: a skippable frame, as parallel compressors write, and then
 * frames of 1 MiB.
 */
export function zstdOf(content: Buffer): Buffer {
  const parts: Buffer[] = [skippableMagic, uint32(4), Buffer.from("skip")];
  for (let at = 0; at < content.length || at === 0; at += 1024 * 1024) {
    parts.push(frameOf(content.subarray(at, at + 1024 * 1024)));
  }
  return Buffer.concat(parts);
}

function frameOf(content: Buffer): Buffer {
  // Single segment, with the content's size in four bytes.
  const parts: Buffer[] = [magic, Buffer.from([0b1010_0000]), uint32(content.length)];
  for (let at = 0; at < content.length || at === 0; at += largestBlock) {
    const block = content.subarray(at, at + largestBlock);
    const isLast = at + largestBlock >= content.length;
    const header = (block.length << 3) | (isLast ? 1 : 0);
    parts.push(Buffer.from([header & 0xff, (header >> 8) & 0xff, (header >> 16) & 0xff]), block);
  }
  return Buffer.concat(parts);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
