import { StageError } from "../../errors.js";
import type { ByteString } from "../../host/byte-string.js";

export const blockSize = 512;

/** One header block as it stands in the archive; extensions (PAX, GNU names) are not yet applied. */
export interface TarHeader {
  readonly name: ByteString;
  readonly linkName: ByteString;
  /** The type flag, one character; `"0"` for the NUL of old archives. */
  readonly type: string;
  /** Permission bits with setuid, setgid and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** Seconds since 1970. */
  readonly mtime: number;
}

const nul = 0;
const space = 32;

/**
 * Decodes a header block (POSIX.1-2017, pax, "ustar Interchange Format"; GNU tar's numbers in base
 * 256; headers from before POSIX).
 * @returns undefined for a block of zeros, the mark of an archive's end
 * @throws StageError IMAGE_INVALID
 */
export function decodeHeader(block: Buffer): TarHeader | undefined {
  const stated = octal(block, 148, 8, "checksum");
  if (!checksumAgrees(block, stated)) {
    if (isZero(block)) return undefined;
    throw new StageError("IMAGE_INVALID", "not a tar header (its checksum does not agree)");
  }
  const flag = block[156] ?? nul;
  const type = flag === nul ? "0" : String.fromCharCode(flag);
  return {
    name: nameOf(block),
    linkName: text(block, 157, 100),
    type,
    mode: number(block, 100, 8, "mode") & 0o7777,
    uid: number(block, 108, 8, "uid"),
    gid: number(block, 116, 8, "gid"),
    size: number(block, 124, 12, "size"),
    mtime: number(block, 136, 12, "mtime"),
  };
}

function nameOf(block: Buffer): ByteString {
  const name = text(block, 0, 100);
  // Only POSIX headers ("ustar", NUL) have a prefix; GNU's ("ustar  ") keep other things there.
  const isPosix = block.toString("latin1", 257, 263) === "ustar\0";
  const prefix = isPosix ? text(block, 345, 155) : "";
  return prefix === "" ? name : `${prefix}/${name}`;
}

function text(block: Buffer, at: number, length: number): ByteString {
  let end = at;
  while (end < at + length && block[end] !== nul) end++;
  return block.toString("latin1", at, end);
}

function number(block: Buffer, at: number, length: number, field: string): number {
  return (block[at] ?? 0) & 0x80 ? base256(block, at, length) : octal(block, at, length, field);
}

/** GNU's and star's big numbers: the top bit set, then a big-endian two's complement. */
function base256(block: Buffer, at: number, length: number): number {
  const first = block[at] ?? 0;
  let value = first & 0x40 ? (first & 0x7f) - 0x80 : first & 0x7f;
  for (let i = at + 1; i < at + length; i++) value = value * 256 + (block[i] ?? 0);
  return value;
}

function octal(block: Buffer, at: number, length: number, field: string): number {
  let i = at;
  const end = at + length;
  // GNU tar and Go pass over NULs in front too; a size must not mean another thing here.
  while (i < end && (block[i] === space || block[i] === nul)) i++;
  let value = 0;
  for (; i < end; i++) {
    const byte = block[i] ?? nul;
    if (byte === nul || byte === space) break;
    if (byte < 48 || byte > 55) {
      throw new StageError("IMAGE_INVALID", `not a tar header (its ${field} is no octal number)`);
    }
    value = value * 8 + (byte - 48);
  }
  return value;
}

function checksumAgrees(block: Buffer, stated: number): boolean {
  let unsigned = 8 * space;
  for (let i = 0; i < 148; i++) unsigned += block[i] ?? 0;
  for (let i = 156; i < blockSize; i++) unsigned += block[i] ?? 0;
  if (unsigned === stated) return true;
  // Some old programs summed the bytes as signed characters.
  let signed = unsigned;
  for (let i = 0; i < blockSize; i++) {
    if ((i < 148 || i >= 156) && (block[i] ?? 0) > 127) signed -= 256;
  }
  return signed === stated;
}

function isZero(block: Buffer): boolean {
  return block.every((byte) => byte === 0);
}

/** Whether `bytes`, the start of a file, can be a tar archive's. */
export function looksLikeTar(bytes: Buffer): boolean {
  if (bytes.length < blockSize) return false;
  try {
    return decodeHeader(bytes.subarray(0, blockSize)) !== undefined;
  } catch {
    return false;
  }
}
