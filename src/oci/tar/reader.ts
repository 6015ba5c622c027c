import { StageError, within } from "../../errors.js";
import { type ByteString, displayPath } from "../../host/byte-string.js";
import { blockSize, decodeHeader, type TarHeader } from "./header.js";
import { decodePax, type PaxRecords, paxNumber, paxPath } from "./pax.js";
import { xattrsOf } from "./xattrs.js";

/** Where an archive's bytes come from. Pulled, not pushed: one call, one piece. */
export interface TarSource {
  /** Exactly `length` bytes; fewer only at the end. Valid until the next call. */
  read(length: number): Buffer;
  /** What is at hand of the next `most` bytes, at least one; empty at the end. Valid until the next call. */
  readSome(most: number): Buffer;
  /** Passes over `length` bytes and returns how many there were. */
  skip(length: number): number;
}

export type EntryType =
  | "file"
  | "directory"
  | "symlink"
  | "hardlink"
  | "character device"
  | "block device"
  | "fifo";

/** One member of an archive, with its extended headers applied. */
export interface TarEntry {
  readonly type: EntryType;
  readonly name: ByteString;
  readonly linkName: ByteString;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Length of what the archive holds as content, in bytes; it means something for files alone. */
  readonly size: number;
  /** Seconds since 1970, with a fraction where the archive has one. */
  readonly mtime: number;
  /** Extended attributes by name (`user.x`), where the archive has any. */
  readonly xattrs: ReadonlyMap<ByteString, ByteString> | undefined;
}

/** What an archive may hold as one extended header: far more than any path or attribute needs. */
const extensionLimit = 1024 * 1024;

const globalKeywords: ReadonlySet<string> = new Set([
  "mtime",
  "uid",
  "gid",
  "path",
  "linkpath",
  "size",
]);

const noRecords: PaxRecords = new Map();

const entryTypes: Partial<Record<string, EntryType>> = {
  "0": "file",
  "1": "hardlink",
  "2": "symlink",
  "3": "character device",
  "4": "block device",
  "5": "directory",
  "6": "fifo",
  "7": "file",
};

/** Reads an archive's entries one after another, from any {@link TarSource}, and synchronously. */
export class TarReader {
  readonly #source: TarSource;
  #global: PaxRecords = noRecords;
  /** Bytes of the current entry's content that have not been read. */
  #rest = 0;
  #padding = 0;

  constructor(source: TarSource) {
    this.#source = source;
  }

  /**
   * The next entry, or undefined after the last. What is left of the previous one's content is
   * passed over.
   * @throws StageError IMAGE_INVALID, IMAGE_UNSUPPORTED
   */
  next(): TarEntry | undefined {
    let pax = noRecords;
    let longName: ByteString | undefined;
    let longLink: ByteString | undefined;
    for (;;) {
      this.#finishEntry();
      const header = this.#readHeader();
      if (!header) {
        if (pax !== noRecords || longName !== undefined || longLink !== undefined) throw cut();
        return undefined;
      }
      if (header.type === "x") pax = decodePax(this.#extension(header));
      else if (header.type === "g") this.#addGlobal(decodePax(this.#extension(header)));
      else if (header.type === "L") longName = untilNul(this.#extension(header));
      else if (header.type === "K") longLink = untilNul(this.#extension(header));
      else {
        const all = this.#global === noRecords ? pax : new Map([...this.#global, ...pax]);
        return this.#begin(applyExtensions(header, { pax: all, longName, longLink }));
      }
    }
  }

  /**
   * The next piece of the current entry's content; empty after the last.
   * @throws StageError IMAGE_INVALID when the archive ends first
   */
  content(): Buffer {
    if (this.#rest === 0) return noBytes;
    const piece = this.#source.readSome(this.#rest);
    if (piece.length === 0) throw cut();
    this.#rest -= piece.length;
    return piece;
  }

  #begin(entry: TarEntry): TarEntry {
    this.#rest = entry.size;
    this.#padding = paddingAfter(entry.size);
    return entry;
  }

  #finishEntry(): void {
    const length = this.#rest + this.#padding;
    if (length === 0) return;
    const skipped = this.#source.skip(length);
    // An archive cut in the padding has lost nothing.
    if (skipped < this.#rest) throw cut();
    this.#rest = 0;
    this.#padding = 0;
  }

  #readHeader(): TarHeader | undefined {
    const block = this.#source.read(blockSize);
    if (block.length === 0) return undefined;
    if (block.length < blockSize) throw cut();
    return decodeHeader(block) ?? this.#end();
  }

  /**
   * After a block of zeros comes another, or nothing. An archive that goes on after one could be
   * read in two ways.
   */
  #end(): undefined {
    const block = this.#source.read(blockSize);
    if (block.every((byte) => byte === 0)) return undefined;
    throw new StageError("IMAGE_INVALID", "the tar archive goes on after its end");
  }

  #extension(header: TarHeader): Buffer {
    if (header.size < 0 || header.size > extensionLimit) {
      throw new StageError("IMAGE_INVALID", `an extended header of ${header.size} bytes`);
    }
    const body = Buffer.from(this.#source.read(header.size));
    if (body.length < header.size) throw cut();
    this.#padding = paddingAfter(header.size);
    return body;
  }

  #addGlobal(records: PaxRecords): void {
    // They stand for every entry, so only what is short and means something for all is kept.
    const kept = [...records].filter(([keyword]) => globalKeywords.has(keyword));
    this.#global = new Map([...this.#global, ...kept]);
  }
}

const noBytes = Buffer.alloc(0);

interface Extensions {
  readonly pax: PaxRecords;
  readonly longName: ByteString | undefined;
  readonly longLink: ByteString | undefined;
}

function applyExtensions(header: TarHeader, extensions: Extensions): TarEntry {
  const { pax, longName, longLink } = extensions;
  const name = paxPath(pax, "path") ?? longName ?? header.name;
  try {
    const type = entryTypeOf(header, name);
    refuseSparse(pax);
    // By its flag: GNU tar and Go pass over the content of a "file" that its slash makes a directory.
    const hasContent = entryTypes[header.type] === "file";
    const size = hasContent ? (paxNumber(pax, "size") ?? header.size) : 0;
    if (!Number.isSafeInteger(size) || size < 0) {
      throw new StageError("IMAGE_INVALID", `a size of ${size} bytes is impossible`);
    }
    return {
      type,
      name,
      linkName: paxPath(pax, "linkpath") ?? longLink ?? header.linkName,
      mode: header.mode,
      uid: checkOwner(paxNumber(pax, "uid") ?? header.uid),
      gid: checkOwner(paxNumber(pax, "gid") ?? header.gid),
      size,
      mtime: paxNumber(pax, "mtime") ?? header.mtime,
      xattrs: pax === noRecords ? undefined : xattrsOf(pax),
    };
  } catch (error) {
    throw within(displayPath(name), error);
  }
}

/** The kernel's user and group IDs have 32 bits, and the highest of them stands for none. */
function checkOwner(id: number): number {
  if (Number.isInteger(id) && id >= 0 && id < 0xffff_ffff) return id;
  throw new StageError("IMAGE_INVALID", `${id} is no user or group ID`);
}

function entryTypeOf(header: TarHeader, name: ByteString): EntryType {
  if (header.type === "S") throw sparse();
  const type = entryTypes[header.type];
  if (!type) {
    const flag = displayPath(header.type);
    throw new StageError("IMAGE_UNSUPPORTED", `tar entries of type "${flag}" are not supported`);
  }
  // Before POSIX a directory was a file whose name ends with a slash.
  return type === "file" && name.endsWith("/") ? "directory" : type;
}

function refuseSparse(pax: PaxRecords): void {
  for (const keyword of pax.keys()) if (keyword.startsWith("GNU.sparse.")) throw sparse();
}

function untilNul(body: Buffer): ByteString {
  const end = body.indexOf(0);
  return body.toString("latin1", 0, end < 0 ? body.length : end);
}

function paddingAfter(size: number): number {
  return (blockSize - (size % blockSize)) % blockSize;
}

function cut(): StageError {
  return new StageError("IMAGE_INVALID", "the tar archive is truncated", {
    hint: "fetch or copy the image again",
  });
}

function sparse(): StageError {
  return new StageError("IMAGE_UNSUPPORTED", "sparse files in tar archives are not supported", {
    hint: "build the layer without tar's --sparse",
  });
}
