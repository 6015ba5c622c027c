/** A zstd frame that holds its content uncompressed (RFC 8878), for Node 20, which can't make any. */
export function zstdFrame(content: Buffer): Buffer {
  const blocks: Buffer[] = [];
  for (let at = 0; at < Math.max(1, content.length); at += blockLimit) {
    const block = content.subarray(at, at + blockLimit);
    const isLast = at + blockLimit >= content.length;
    blocks.push(blockHeader({ isLast, type: "raw", size: block.length }), block);
  }
  return Buffer.concat([frameHeader(content.length), ...blocks]);
}

/** A zstd frame of `blocks` times 128 KiB of zeros, in four bytes each. */
export function zstdZeros(blocks: number): Buffer {
  const pieces = Array.from({ length: blocks }, (_, i) => {
    const header = blockHeader({ isLast: i === blocks - 1, type: "repeated", size: blockLimit });
    return Buffer.concat([header, Buffer.from([0])]);
  });
  return Buffer.concat([frameHeader(undefined), ...pieces]);
}

/** A frame that decoders pass over. */
export function skippableFrame(content: Buffer, kind = 0): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32LE(0x184d2a50 + kind, 0);
  head.writeUInt32LE(content.length, 4);
  return Buffer.concat([head, content]);
}

const blockLimit = 128 * 1024;

/** With the content's length, or with a window of 128 KiB where that is left open. */
function frameHeader(contentSize: number | undefined): Buffer {
  const magic = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
  if (contentSize === undefined) return Buffer.concat([magic, Buffer.from([0x00, 7 << 3])]);
  const size = Buffer.alloc(4);
  size.writeUInt32LE(contentSize);
  return Buffer.concat([magic, Buffer.from([0xa0]), size]);
}

function blockHeader(block: { isLast: boolean; type: "raw" | "repeated"; size: number }): Buffer {
  const type = block.type === "raw" ? 0 : 1;
  const header = Buffer.alloc(3);
  header.writeUIntLE((block.isLast ? 1 : 0) | (type << 1) | (block.size << 3), 0, 3);
  return header;
}
