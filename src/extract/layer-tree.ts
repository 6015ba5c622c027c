import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  futimesSync,
  lchownSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  openSync,
  symlinkSync,
  utimesSync,
  writeSync,
} from "node:fs";
import { errnoOf, StageError } from "../errors.js";
import { type ByteString, displayPath, rawPath } from "../host/byte-string.js";
import { fileTime } from "../host/file-time.js";
import { baseOf, join, parentOf, RootedTree } from "../host/rooted-tree.js";
import { currentUmask } from "../host/umask.js";
import { checkLimit, type Limits } from "../oci/limits.js";
import type { TarEntry } from "../oci/tar/reader.js";
import { entryPath } from "./entry-path.js";
import type { LayerRecord } from "./layer-record.js";
import { type DiskMetadata, MetadataKeeper } from "./metadata.js";
import type { OwnershipPolicy } from "./policy.js";
import { markerOf } from "./whiteout.js";

const createNew = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const impliedMode = 0o755;

/** Gives an entry's content piece by piece; an empty piece ends it. */
export type ContentReader = () => Buffer;

/**
 * A layer's entries as a directory tree of its own, with no lower layer below it. What they say
 * about lower layers (whiteouts, links to their files, directories left to them) is put on record
 * for {@link LayerRecord}; what they say about each other takes effect here, the last entry winning.
 */
export class LayerTree {
  readonly #tree: RootedTree;
  readonly #metadata: MetadataKeeper;
  readonly #isRoot: boolean;
  readonly #umask: number = currentUmask();
  /** What to set on each directory when nothing is added to it any more. */
  readonly #directories = new Map<ByteString, DiskMetadata>();
  readonly #implied = new Set<ByteString>([""]);
  readonly #whiteouts = new Set<ByteString>();
  readonly #opaque = new Set<ByteString>();
  readonly #links = new Map<ByteString, ByteString>();
  readonly #limits: Limits;
  #unpackedSize = 0;
  #entries = 0;

  /** @param root an empty directory that nobody else writes to */
  constructor(root: string, options: { policy: OwnershipPolicy; limits: Limits }) {
    const { policy, limits } = options;
    this.#limits = limits;
    this.#tree = new RootedTree(root);
    this.#metadata = new MetadataKeeper(policy);
    this.#isRoot = policy.owner === "image";
  }

  /**
   * Puts an entry where it belongs.
   * @throws StageError IMAGE_INVALID, LIMIT_ENTRIES, LIMIT_UNPACKED, LIMIT_FILE, LIMIT_DEPTH, and
   * errors of system calls
   */
  add(entry: TarEntry, content: ContentReader): void {
    this.#entries++;
    const name = entryPath(entry.name);
    this.#checkLimits(name, entry);
    const marker = markerOf(baseOf(name));
    if (marker) {
      if (marker.kind === "whiteout") this.#whiteouts.add(join(this.#below(name), marker.name));
      else if (marker.kind === "opaque") this.#opaque.add(this.#below(name));
      return;
    }
    if (name === "") {
      this.#addRoot(entry);
      return;
    }
    const path = this.#placeFor(name);
    if (entry.type === "hardlink") this.#addHardLink(path, entry);
    else this.#addNode(path, { entry, content });
  }

  #checkLimits(name: ByteString, { size }: TarEntry): void {
    const limits = this.#limits;
    const place = () => displayPath(name);
    checkLimit(limits, { name: "entries", value: this.#entries, place });
    checkLimit(limits, { name: "depth", value: name.split("/").length, place });
    checkLimit(limits, { name: "file", value: size, place });
    checkLimit(limits, { name: "unpacked", value: this.#unpackedSize + size, place });
  }

  #addNode(
    path: ByteString,
    { entry, content }: { entry: TarEntry; content: ContentReader },
  ): void {
    this.#links.delete(path);
    if (entry.type === "file") this.#addFile(path, { entry, content });
    else if (entry.type === "directory") this.#addDirectory(path, entry);
    else if (entry.type === "symlink") this.#addSymlink(path, entry);
    else this.#skipSpecial(path);
  }

  /** Sets what could be set only now, and returns the record. */
  finish(): LayerRecord {
    for (const path of this.#implied) {
      this.#directories.set(path, { mode: impliedMode, uid: 0, gid: 0, mtime: 0 });
    }
    for (const [path, { mtime }] of this.#directories) {
      utimesSync(this.#tree.at(path), fileTime(mtime), fileTime(mtime));
    }
    return {
      schemaVersion: 1,
      unpackedSize: this.#unpackedSize,
      entries: this.#entries,
      implied: [...this.#implied],
      whiteouts: [...this.#whiteouts],
      opaque: [...this.#opaque],
      links: [...this.#links],
      onRecord: this.#metadata.toOnRecord(),
      warnings: this.#metadata.tally.toWarnings(),
    };
  }

  /** Where `name` lies, the directories on the way made as far as they are missing. */
  #placeFor(name: ByteString): ByteString {
    const parent = parentOf(name);
    if (this.#tree.isKnownDirectory(parent)) return name;
    const resolved = this.#tree.resolveDirectory(parent, (missing) => {
      this.#forget(missing);
      this.#metadata.drop(missing);
      mkdirSync(this.#tree.at(missing), impliedMode | 0o700);
      if ((impliedMode & this.#umask) !== 0) chmodSync(this.#tree.at(missing), impliedMode);
      this.#implied.add(missing);
    });
    return join(resolved ?? "", baseOf(name));
  }

  /** The directory that a marker called `name` speaks of; it need not exist in this layer. */
  #below(name: ByteString): ByteString {
    const parent = parentOf(name);
    return this.#tree.resolveDirectory(parent) ?? parent;
  }

  #addRoot(entry: TarEntry): void {
    if (entry.type !== "directory") {
      throw new StageError("IMAGE_INVALID", `the root of the image is a ${entry.type}`);
    }
    this.#setDirectory("", { metadata: this.#metadata.keep("", entry), isNew: false });
  }

  #addFile(path: ByteString, file: { entry: TarEntry; content: ContentReader }): void {
    const { entry, content } = file;
    const { mode, uid, gid, mtime } = this.#metadata.keep(path, entry);
    const target = this.#tree.at(path);
    const fd = this.#making(path, () => openSync(target, createNew, mode));
    try {
      let size = 0;
      for (let piece = content(); piece.length > 0; piece = content()) {
        writeAll(fd, piece);
        size += piece.length;
      }
      this.#unpackedSize += size;
      if (this.#isRoot && (uid !== 0 || gid !== 0)) fchownSync(fd, uid, gid);
      // open(2) drops what the umask holds, chown(2) what lets others run as the owner.
      if ((mode & (this.#umask | 0o6000)) !== 0) fchmodSync(fd, mode);
      futimesSync(fd, fileTime(mtime), fileTime(mtime));
    } finally {
      closeSync(fd);
    }
  }

  #addDirectory(path: ByteString, entry: TarEntry): void {
    const metadata = this.#metadata.keep(path, entry);
    const isNew = !this.#tree.isKnownDirectory(path);
    if (isNew) {
      this.#making(path, () => mkdirSync(this.#tree.at(path), metadata.mode));
      this.#tree.addDirectory(path);
    }
    this.#setDirectory(path, { metadata, isNew });
  }

  #setDirectory(path: ByteString, set: { metadata: DiskMetadata; isNew: boolean }): void {
    const { metadata, isNew } = set;
    const { mode, uid, gid } = metadata;
    const target = this.#tree.at(path);
    if (this.#isRoot && (!isNew || uid !== 0 || gid !== 0)) lchownSync(target, uid, gid);
    if (!isNew || (mode & (this.#umask | 0o7000)) !== 0) chmodSync(target, mode);
    this.#implied.delete(path);
    this.#directories.set(path, metadata);
  }

  #addSymlink(path: ByteString, entry: TarEntry): void {
    if (entry.linkName === "") {
      throw new StageError("IMAGE_INVALID", `${displayPath(path)} is a symbolic link to nothing`);
    }
    const { uid, gid, mtime } = this.#metadata.keep(path, entry);
    const target = this.#tree.at(path);
    this.#making(path, () => symlinkSync(rawPath(entry.linkName), target));
    if (this.#isRoot && (uid !== 0 || gid !== 0)) lchownSync(target, uid, gid);
    lutimesSync(target, fileTime(mtime), fileTime(mtime));
  }

  #addHardLink(path: ByteString, entry: TarEntry): void {
    const name = entryPath(entry.linkName);
    const parent = this.#tree.resolveDirectory(parentOf(name));
    const target = parent === undefined ? name : join(parent, baseOf(name));
    if (target === path) return;
    // A link to a link that waits for a lower layer waits for the same file.
    const waiting = this.#links.get(target);
    const kind =
      parent === undefined || waiting !== undefined ? "missing" : this.#tree.kindOf(target);
    const doubt =
      kind === "directory"
        ? "the directory"
        : kind !== "missing" && target.startsWith(`${path}/`)
          ? "what lies below it,"
          : undefined;
    if (doubt !== undefined) {
      throw new StageError(
        "IMAGE_INVALID",
        `${displayPath(path)} is a hard link to ${doubt} ${displayPath(name)}`,
      );
    }
    this.#links.delete(path);
    this.#metadata.drop(path);
    if (kind === "missing") {
      this.#remove(path);
      this.#links.set(path, waiting ?? target);
    } else {
      this.#making(path, () => linkSync(this.#tree.at(target), this.#tree.at(path)));
    }
  }

  /** A device or fifo is not made, but it does hide what lower layers have in its place. */
  #skipSpecial(path: ByteString): void {
    this.#remove(path);
    this.#metadata.drop(path);
    this.#whiteouts.add(path);
    this.#metadata.tally.add("SPECIAL_SKIPPED", path);
  }

  /** Makes something at `path`, in place of what an earlier entry put there. */
  #making<Result>(path: ByteString, make: () => Result): Result {
    try {
      return make();
    } catch (error) {
      if (errnoOf(error) !== "EEXIST") throw error;
      this.#remove(path);
      return make();
    }
  }

  #remove(path: ByteString): void {
    const isDirectory = this.#tree.isKnownDirectory(path);
    this.#tree.remove(path);
    if (isDirectory) this.#forget(path);
  }

  /** Drops what was noted of `path` as a directory, and of all below it. */
  #forget(path: ByteString): void {
    const below = `${path}/`;
    for (const notes of [this.#directories, this.#implied, this.#links]) {
      for (const key of notes.keys()) {
        if (key === path || key.startsWith(below)) notes.delete(key);
      }
    }
    this.#metadata.dropBelow(path);
  }
}

function writeAll(fd: number, piece: Buffer): void {
  let written = writeSync(fd, piece);
  while (written < piece.length) written += writeSync(fd, piece, written);
}
