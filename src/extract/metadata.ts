import type { ByteString } from "../host/byte-string.js";
import type { Attributes } from "../host/extended-attributes.js";
import type { TarEntry } from "../oci/tar/reader.js";
import type { OnRecord } from "./layer-record.js";
import { PathMap } from "./path-map.js";
import type { OwnershipPolicy } from "./policy.js";
import { Tally } from "./tally.js";

const setIdBits = 0o6000;
const ownerAll = 0o700;
const othersWrite = 0o022;

/** What the disk is to get of an entry's metadata. */
export interface DiskMetadata {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Seconds since 1970. */
  readonly mtime: number;
  /** Extended attributes, as far as the disk takes them. */
  readonly attributes?: Attributes | undefined;
}

/** Far enough for any file, near enough for every kernel: the years 1 to 9999. */
const earliest = -62_135_596_800;
const latest = 253_402_300_799;

/**
 * Decides what of each entry's metadata goes to disk, and keeps on record what does not.
 */
export class MetadataKeeper {
  readonly tally: Tally = new Tally();
  /** How much went on record, in bytes; what was dropped again counts too. */
  recordedBytes = 0;
  /** Whether any entry had extended attributes. */
  hasAttributes = false;
  readonly #policy: OwnershipPolicy;
  readonly #owners = new PathMap<string>();
  readonly #modes = new PathMap<string>();
  readonly #xattrs = new PathMap<Record<ByteString, string>>();

  constructor(policy: OwnershipPolicy) {
    this.#policy = policy;
  }

  /** For the entry that now stands at `path`. */
  keep(path: ByteString, entry: TarEntry): DiskMetadata {
    this.drop(path);
    const attributes = entry.xattrs && this.#recordXattrs(path, entry.xattrs);
    const mode = this.#modeFor(path, entry);
    const mtime = Math.min(Math.max(entry.mtime, earliest), latest);
    if (this.#policy.owner === "image") {
      return { mode, uid: entry.uid, gid: entry.gid, mtime, attributes };
    }
    if (entry.uid !== 0 || entry.gid !== 0) {
      this.#owners.set(path, `${entry.uid}:${entry.gid}`);
      this.recordedBytes += path.length;
    }
    return { mode, uid: 0, gid: 0, mtime, attributes };
  }

  /** Forgets what was on record for `path`: something else stands there now. */
  drop(path: ByteString): void {
    this.#owners.delete(path);
    this.#modes.delete(path);
    this.#xattrs.delete(path);
  }

  /** Forgets what was on record for all that directories held which are gone. */
  dropIn(directories: readonly ByteString[]): void {
    for (const map of [this.#owners, this.#modes, this.#xattrs]) map.deleteIn(directories);
  }

  toOnRecord(): OnRecord {
    return {
      owners: grouped(this.#owners),
      modes: grouped(this.#modes),
      xattrs: Object.fromEntries(this.#xattrs.entries()),
    };
  }

  #modeFor(path: ByteString, { type, mode }: TarEntry): number {
    if (type === "symlink") return mode;
    let kept = mode;
    if (this.#policy.setuid === "drop" && (mode & setIdBits) !== 0) {
      kept &= ~setIdBits;
      this.tally.add("SETUID_STRIPPED", path);
    }
    if (this.#policy.writers === "owner") kept &= ~othersWrite;
    // Whoever owns the tree must be able to add to it and to delete it.
    if (type === "directory" && this.#policy.owner === "squash") kept |= ownerAll;
    if (kept !== mode) {
      this.#modes.set(path, mode.toString(8).padStart(4, "0"));
      this.recordedBytes += path.length;
    }
    return kept;
  }

  #recordXattrs(path: ByteString, xattrs: ReadonlyMap<ByteString, ByteString>): Attributes {
    const attributes = [...xattrs].map(([name, value]) => {
      this.recordedBytes += path.length + name.length + value.length;
      return [name, Buffer.from(value, "latin1")] as const;
    });
    const texts = attributes.map(([name, value]) => [name, value.toString("base64")] as const);
    this.#xattrs.set(path, Object.fromEntries(texts));
    this.hasAttributes = true;
    return attributes;
  }
}

/** The extended attributes that are on record for the file at `path`, where it has any. */
export function attributesOf({ xattrs }: OnRecord, path: ByteString): Attributes | undefined {
  if (!Object.hasOwn(xattrs, path)) return undefined;
  return Object.entries(xattrs[path] ?? {}).map(([name, value]) => {
    return [name, Buffer.from(value, "base64")];
  });
}

function grouped(map: PathMap<string>): Record<string, ByteString[]> {
  const groups: Record<string, ByteString[]> = {};
  for (const [path, value] of map.entries()) {
    const group = groups[value];
    if (group) group.push(path);
    else groups[value] = [path];
  }
  return groups;
}
