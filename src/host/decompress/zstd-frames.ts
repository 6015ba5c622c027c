import { StageError } from "../../errors.js";

const frameMagic = 0xfd2fb528;
const skippableMagic = 0x184d2a50;

/** The largest window, in bytes, that zstd's own decoder takes; each decoder here would take others. */
const windowLimit = 2 ** 27;

/**
 * Follows the frames of a zstd stream (RFC 8878, "Zstandard Frames") without decompressing them, and
 * refuses what decoders do not agree on: an end within a frame, bytes after the last that are no
 * frame, a window that takes more memory than anybody should give.
 */
export class ZstdFrames {
  /** The header that is being collected. */
  #head: Buffer = Buffer.alloc(0);
  /** Bytes to pass over before the next header. */
  #skip = 0;
  #frame: { readonly hasChecksum: boolean } | undefined;

  /** @throws StageError IMAGE_INVALID, IMAGE_UNSUPPORTED */
  follow(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; ) {
      if (this.#skip > 0) {
        const passed = Math.min(this.#skip, chunk.length - at);
        this.#skip -= passed;
        at += passed;
        continue;
      }
      const missing = this.#headLength() - this.#head.length;
      const part = chunk.subarray(at, at + missing);
      this.#head = Buffer.concat([this.#head, part]);
      at += part.length;
      if (this.#head.length === this.#headLength()) this.#interpret();
    }
  }

  /** Says that nothing follows. @throws StageError IMAGE_INVALID */
  end(): void {
    if (this.#frame || this.#skip > 0 || this.#head.length > 0) throw damaged();
  }

  #headLength(): number {
    if (this.#frame) return 3;
    if (this.#head.length < 5) return 5;
    if (isSkippable(this.#head)) return 8;
    const { contentSizeBytes, windowBytes, dictionaryBytes } = describe(this.#head);
    return 5 + windowBytes + dictionaryBytes + contentSizeBytes;
  }

  #interpret(): void {
    const head = this.#head;
    this.#head = Buffer.alloc(0);
    if (this.#frame) this.#beginBlock(head.readUIntLE(0, 3), this.#frame);
    else if (isSkippable(head)) this.#skip = head.readUInt32LE(4);
    else {
      checkWindow(windowOf(head));
      this.#frame = { hasChecksum: describe(head).hasChecksum };
    }
  }

  #beginBlock(header: number, frame: { readonly hasChecksum: boolean }): void {
    const type = (header >> 1) & 3;
    if (type === reservedBlock) throw damaged();
    this.#skip = type === repeatedByte ? 1 : header >> 3;
    if ((header & 1) === 0) return;
    if (frame.hasChecksum) this.#skip += 4;
    this.#frame = undefined;
  }
}

const repeatedByte = 1;
const reservedBlock = 3;
const reservedBit = 0x08;

function isSkippable(head: Buffer): boolean {
  return (head.readUInt32LE(0) & 0xfffffff0) >>> 0 === skippableMagic;
}

/** What the descriptor, the fifth byte of a frame, says of the header that it is part of. */
function describe(head: Buffer) {
  if (head.readUInt32LE(0) !== frameMagic) throw damaged();
  const descriptor = head.readUInt8(4);
  if ((descriptor & reservedBit) !== 0) throw damaged();
  const isSingleSegment = (descriptor & 0x20) !== 0;
  return {
    hasChecksum: (descriptor & 0x04) !== 0,
    windowBytes: isSingleSegment ? 0 : 1,
    dictionaryBytes: [0, 1, 2, 4][descriptor & 3] ?? 0,
    contentSizeBytes: [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0,
  };
}

/** A single segment's window is its content. */
function windowOf(head: Buffer): number {
  if (describe(head).windowBytes === 0) return contentSizeIn(head);
  const descriptor = head.readUInt8(5);
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

/** What the last field of a frame's header says. */
function contentSizeIn(head: Buffer): number {
  const { contentSizeBytes } = describe(head);
  const field = head.subarray(head.length - contentSizeBytes);
  if (contentSizeBytes === 8) return Number(field.readBigUInt64LE());
  return field.readUIntLE(0, contentSizeBytes) + (contentSizeBytes === 2 ? 256 : 0);
}

/** The longest header of a frame, in bytes. */
export const longestFrameHeader = 18;

/**
 * How much a frame says that it holds, in bytes; undefined where it does not say, or is damaged.
 * @param start its first {@link longestFrameHeader} bytes
 */
export function statedContentSize(start: Buffer): number | undefined {
  try {
    const { contentSizeBytes, windowBytes, dictionaryBytes } = describe(start);
    if (contentSizeBytes === 0) return undefined;
    return contentSizeIn(start.subarray(0, 5 + windowBytes + dictionaryBytes + contentSizeBytes));
  } catch {
    return undefined;
  }
}

function checkWindow(window: number): void {
  if (window <= windowLimit) return;
  throw new StageError(
    "IMAGE_UNSUPPORTED",
    `the zstd data needs a window of ${window} bytes; at most ${windowLimit} are given`,
    { hint: "compress it again as a stream, and without zstd's --long" },
  );
}

function damaged(): StageError {
  return new StageError("IMAGE_INVALID", "the zstd data is damaged or truncated", {
    hint: "fetch or copy the image again",
  });
}
