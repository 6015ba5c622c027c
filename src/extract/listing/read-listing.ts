import { createHash } from "node:crypto";
import { closeSync, readSync } from "node:fs";
import type { ByteString } from "../../host/byte-string.js";
import { isUnreadable } from "../../host/is-unreadable.js";
import { openOrdinaryFile, readWholeFile } from "../../host/read-whole-file.js";
import { join } from "../../host/rooted-tree.js";
import type { ListedDirectory } from "./listed-node.js";
import { ListedTree } from "./listed-tree.js";
import {
  digestLength,
  digestsFile,
  type FileDigests,
  type ListedMetadata,
  type ListingSummary,
  listingFile,
} from "./listing.js";

/** A listing, or its digests, is not what was written down, or can't be read. */
export class ListingDamaged extends Error {}

/** The largest list of digests that is read, in bytes: 1 GiB. */
const longestDigests = 1024 * 1024 * 1024;

/**
 * What a layer's tree is to hold.
 * @param directory the directory that has the tree and the listing
 * @throws ListingDamaged, and errors of system calls
 */
export function readListing(directory: string, summary: ListingSummary): ListedDirectory {
  try {
    return read(directory, summary);
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    throw new ListingDamaged("its listing, or its list of digests, can't be read", {
      cause: error,
    });
  }
}

function read(directory: string, summary: ListingSummary): ListedDirectory {
  const digests = readDigests(directory, summary);
  const records = new Records(listingFile(directory));
  try {
    const reading = new ListingReading(records, {
      tree: `${directory}/tree`,
      digests: summary.digests,
      table: digests,
    });
    const root = reading.all();
    if (records.hash() !== summary.hashes.listing) throw new ListingDamaged("its listing differs");
    return root;
  } finally {
    records.close();
  }
}

function readDigests(directory: string, { digests, hashes }: ListingSummary): Buffer {
  if (digests === "none") return Buffer.alloc(0);
  const table = readWholeFile(digestsFile(directory), longestDigests);
  if (createHash("sha256").update(table).digest("hex") === hashes.digests) return table;
  throw new ListingDamaged("its list of digests differs");
}

class ListingReading {
  readonly #records: Records;
  readonly #digests: FileDigests;
  readonly #table: Buffer;
  readonly #owner: { readonly uid: number; readonly gid: number };
  readonly #tree: ListedTree;
  readonly #place: string;
  #directory: ByteString = "";
  #mode = 0;
  #mtime = 0;
  #files = 0;
  #count = 0;

  constructor(
    records: Records,
    { tree, digests, table }: { tree: string; digests: FileDigests; table: Buffer },
  ) {
    this.#records = records;
    this.#place = tree;
    this.#digests = digests;
    this.#table = table;
    const first = /^stage-rootfs listing 1 (\d+):(\d+) \w+$/.exec(records.next("\n"));
    if (!first) throw new ListingDamaged("its listing is of another kind");
    this.#owner = { uid: Number(first[1]), gid: Number(first[2]) };
    this.#tree = new ListedTree(this.#owner);
  }

  all(): ListedDirectory {
    for (;;) {
      const record = this.#records.next();
      if (record === `e${this.#count}`) break;
      this.#take(record);
      this.#count++;
    }
    if (digestsIn(this.#table, this.#digests) === (this.#digests === "none" ? 0 : this.#files)) {
      return this.#tree.root;
    }
    throw new ListingDamaged("its list of digests has not one for each file");
  }

  #take(record: string): void {
    const path = this.#path(this.#records.next());
    const kind = record[0];
    if (kind === "h") this.#tree.link(path, this.#records.next());
    else if (kind === "r") this.#tree.remove(path);
    else this.#describe(path, record);
  }

  #describe(path: ByteString, record: string): void {
    const match = /^([fdl])(?:@(\d+):(\d+),)?([0-7]*),(-?[\d.e+-]*)(?:,(\d+))?$/.exec(record);
    if (!match) throw new ListingDamaged("its listing has a record of an unknown kind");
    const [, kind, uid, gid, mode, mtime, size] = match;
    if (mode) this.#mode = Number.parseInt(mode, 8);
    if (mtime) this.#mtime = Number(mtime);
    const owner = uid === undefined ? this.#owner : { uid: Number(uid), gid: Number(gid) };
    const metadata: ListedMetadata = { ...owner, mode: this.#mode, mtime: this.#mtime };
    const tree = this.#place;
    if (kind === "d") this.#tree.putDirectory(path, metadata);
    else if (kind === "l") {
      const target = this.#records.next();
      this.#tree.put(path, { kind: "symlink", tree, ...metadata, target });
    } else {
      const digest = this.#nextDigest();
      this.#tree.put(path, { kind: "file", tree, ...metadata, size: Number(size), digest });
    }
  }

  #nextDigest() {
    const index = this.#files++;
    if (this.#digests === "none") return undefined;
    return { algorithm: this.#digests, table: this.#table, index };
  }

  #path(text: ByteString): ByteString {
    if (!text.startsWith("/")) return join(this.#directory, text);
    const path = text.slice(1);
    this.#directory = path.slice(0, Math.max(0, path.lastIndexOf("/")));
    return path;
  }
}

function digestsIn(table: Buffer, digests: FileDigests): number {
  return digests === "none" ? 0 : table.length / digestLength[digests];
}

/** How much of a listing is read at once, in bytes. */
const blockSize = 256 * 1024;

/** The parts of a listing, one character per byte, read block by block. */
class Records {
  readonly #fd: number;
  readonly #hash = createHash("sha256");
  readonly #block: Buffer = Buffer.allocUnsafeSlow(blockSize);
  #text = "";
  #at = 0;

  constructor(path: string) {
    this.#fd = openOrdinaryFile(path).fd;
  }

  /** Up to the next NUL, or another end. */
  next(end = "\0"): string {
    for (;;) {
      const found = this.#text.indexOf(end, this.#at);
      if (found >= 0) {
        const part = this.#text.slice(this.#at, found);
        this.#at = found + 1;
        return part;
      }
      this.#text = this.#text.slice(this.#at) + this.#read();
      this.#at = 0;
    }
  }

  /** SHA-256 of the whole file, in hex. */
  hash(): string {
    if (this.#text.length > this.#at) throw new ListingDamaged("its listing is too long");
    return this.#hash.digest("hex");
  }

  close(): void {
    closeSync(this.#fd);
  }

  #read(): string {
    const length = readSync(this.#fd, this.#block);
    if (length === 0) throw new ListingDamaged("its listing ends too early");
    const bytes = this.#block.subarray(0, length);
    this.#hash.update(bytes);
    return bytes.toString("latin1");
  }
}
