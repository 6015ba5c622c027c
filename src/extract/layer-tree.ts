import {
  chmodSync,
  constants,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  symlinkSync,
  utimesSync,
} from "node:fs";
import { errnoOf, StageError } from "../errors.js";
import { type ByteString, displayPath, rawPath } from "../host/byte-string.js";
import { AttributeWriter } from "../host/extended-attributes.js";
import { fileTime } from "../host/file-time.js";
import { linkOrCopy } from "../host/link-or-copy.js";
import { baseOf, join, parentOf, RootedTree } from "../host/rooted-tree.js";
import type { PathKind } from "../host/tree-disk.js";
import { currentUmask } from "../host/umask.js";
import { checkLimit, type Limits } from "../oci/limits.js";
import type { TarEntry } from "../oci/tar/reader.js";
import { entryPath } from "./entry-path.js";
import { type ContentReader, type FileFiller, fillingAtOnce } from "./file-content.js";
import { LayerNotes } from "./layer-notes.js";
import type { LayerRecord } from "./layer-record.js";
import type { ListingWriter } from "./listing/listing-writer.js";
import { type DiskMetadata, MetadataKeeper } from "./metadata.js";
import { own } from "./own.js";
import type { OwnershipPolicy } from "./policy.js";
import { markerOf } from "./whiteout.js";

const createNew = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const impliedMode = 0o755;
const implied: DiskMetadata = { mode: impliedMode, uid: 0, gid: 0, mtime: 0 };

export interface LayerTreeOptions {
  readonly policy: OwnershipPolicy;
  readonly limits: Limits;
  /** Who writes the content of files; by default each is written at once. */
  readonly filler?: FileFiller;
  /** Where to write down what the tree holds, for whoever checks it later. */
  readonly listing?: ListingWriter | undefined;
}

/**
 * A layer's entries as a directory tree of its own, with no lower layer below it. What they say
 * about lower layers (whiteouts, links to their files, directories left to them) is put on record
 * for {@link LayerRecord}; what they say about each other takes effect here, the last entry winning.
 */
export class LayerTree {
  readonly #tree: RootedTree;
  readonly #metadata: MetadataKeeper;
  readonly #attributes = new AttributeWriter();
  readonly #chowns: boolean;
  readonly #mayInherit: boolean;
  readonly #umask: number = currentUmask();
  /** What to set on each directory when nothing is added to it any more. */
  readonly #directories = new Map<ByteString, DiskMetadata>();
  readonly #notes = new LayerNotes();
  readonly #limits: Limits;
  readonly #filler: FileFiller;
  readonly #listing: ListingWriter | undefined;
  #unpackedSize = 0;
  #entries = 0;

  /** @param root an empty directory that nobody else writes to */
  constructor(root: string, options: LayerTreeOptions) {
    const { policy, limits, filler = fillingAtOnce(), listing } = options;
    this.#limits = limits;
    this.#filler = filler;
    this.#listing = listing;
    this.#tree = new RootedTree(root);
    this.#metadata = new MetadataKeeper(policy);
    this.#chowns = policy.owner === "image";
    // Below a directory that keeps its setgid bit, what is made gets its group and the bit.
    this.#mayInherit = policy.setuid === "keep";
  }

  /**
   * Puts an entry where it belongs.
   * @throws StageError IMAGE_INVALID, IMAGE_UNSUPPORTED, those of limits, PERMISSION, and errors of
   * system calls
   */
  add(entry: TarEntry, content: ContentReader): void {
    this.#entries++;
    const name = entryPath(entry.name);
    this.#checkLimits(name, entry);
    const marker = markerOf(name);
    if (marker) {
      if (marker.kind === "whiteout") this.#notes.hide(join(parentOf(name), marker.name));
      else if (marker.kind === "opaque") this.#notes.hideIn(parentOf(name));
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
    const noted = this.#notes.bytes + this.#metadata.recordedBytes;
    checkLimit(limits, { name: "record", value: noted, place });
  }

  #addNode(
    path: ByteString,
    { entry, content }: { entry: TarEntry; content: ContentReader },
  ): void {
    this.#notes.forget(path);
    if (entry.type === "file") this.#addFile(path, { entry, content });
    else if (entry.type === "directory") this.#addDirectory(path, entry);
    else if (entry.type === "symlink") this.#addSymlink(path, entry);
    else this.#skipSpecial(path);
  }

  /** Sets what could be set only now, and returns the record. */
  finish(): LayerRecord {
    this.#filler.settle();
    for (const path of this.#notes.implied) {
      this.#directories.set(path, implied);
      // The root is the caller's, and stays as that has made it.
      const mode = path === "" ? lstatSync(this.#tree.root).mode & 0o7777 : impliedMode;
      this.#listing?.directory(path, { ...implied, mode });
    }
    for (const [path, { mtime, attributes }] of this.#directories) {
      const target = this.#tree.at(path);
      if (attributes && !this.#attributes.setOnDirectory(target, attributes)) this.#miss(path);
      utimesSync(target, fileTime(mtime), fileTime(mtime));
    }
    return {
      schemaVersion: 1,
      unpackedSize: this.#unpackedSize,
      entries: this.#entries,
      ...this.#notes.toRecord(),
      onRecord: this.#metadata.toOnRecord(),
      warnings: this.#metadata.tally.toWarnings(),
    };
  }

  /** Where `name` lies, the directories on the way made as far as they are missing. */
  #placeFor(name: ByteString): ByteString {
    const parent = parentOf(name);
    if (this.#tree.isKnownDirectory(parent)) return name;
    const resolved = this.#tree.resolveDirectory(parent, (missing, was) => {
      this.#notes.forget(missing);
      if (was === "file") this.#notes.replace(missing);
      this.#metadata.drop(missing);
      const target = this.#tree.at(missing);
      mkdirSync(target, impliedMode);
      if (this.#chowns && this.#mayInherit) own(target, { uid: 0, gid: 0 });
      if ((impliedMode & this.#umask) !== 0 || this.#mayInherit) chmodSync(target, impliedMode);
      this.#notes.imply(missing);
    });
    return join(resolved ?? "", baseOf(name));
  }

  #addRoot(entry: TarEntry): void {
    if (entry.type !== "directory") {
      throw new StageError("IMAGE_INVALID", `the root of the image is a ${entry.type}`);
    }
    this.#setDirectory("", { metadata: this.#metadata.keep("", entry), isNew: false });
  }

  #addFile(path: ByteString, file: { entry: TarEntry; content: ContentReader }): void {
    const { entry, content } = file;
    const metadata = this.#metadata.keep(path, entry);
    const { mode, mtime, attributes } = metadata;
    const fd = this.#making(path, () => openSync(this.#tree.at(path), createNew, mode));
    if (attributes && !this.#attributes.set(fd, attributes)) this.#miss(path);
    const owner = this.#needsOwner(metadata) ? metadata : undefined;
    // open(2) drops what the umask holds, chown(2) what lets others run as the owner.
    const isExact = (mode & (this.#umask | 0o6000)) === 0;
    const finish = { mtime, mode: isExact ? undefined : mode, owner };
    this.#listing?.file(path, { size: entry.size, metadata });
    this.#filler.fill(fd, { content, size: entry.size, finish });
    this.#unpackedSize += entry.size;
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
    const { mode } = metadata;
    const target = this.#tree.at(path);
    if (this.#needsOwner(metadata) || (this.#chowns && !isNew)) own(target, metadata);
    const isExact = isNew && !this.#mayInherit && (mode & (this.#umask | 0o7000)) === 0;
    if (!isExact) chmodSync(target, mode);
    this.#notes.describe(path);
    this.#directories.set(path, metadata);
    this.#listing?.directory(path, metadata);
  }

  #addSymlink(path: ByteString, entry: TarEntry): void {
    if (entry.linkName === "") {
      throw new StageError("IMAGE_INVALID", `${displayPath(path)} is a symbolic link to nothing`);
    }
    const metadata = this.#metadata.keep(path, entry);
    const target = this.#tree.at(path);
    this.#making(path, () => symlinkSync(rawPath(entry.linkName), target));
    // No file system takes those of users on a link.
    if (metadata.attributes) this.#miss(path);
    if (this.#needsOwner(metadata)) own(target, metadata);
    lutimesSync(target, fileTime(metadata.mtime), fileTime(metadata.mtime));
    this.#listing?.symlink(path, { target: entry.linkName, metadata });
  }

  /** Counts a file whose extended attributes are not all on disk. */
  #miss(path: ByteString): void {
    this.#metadata.tally.add("XATTRS_NOT_KEPT", path);
  }

  /** Whether what was just made belongs to somebody else than it should. */
  #needsOwner({ uid, gid }: DiskMetadata): boolean {
    return this.#chowns && (uid !== 0 || gid !== 0 || this.#mayInherit);
  }

  #addHardLink(path: ByteString, entry: TarEntry): void {
    const name = entryPath(entry.linkName);
    const parent = this.#tree.resolveDirectory(parentOf(name));
    const target = parent === undefined ? name : join(parent, baseOf(name));
    if (this.#notes.isSkipped(target)) {
      this.#skipSpecial(path);
      return;
    }
    // A link to a link that waits for a lower layer waits for the same file.
    const waiting = this.#notes.linkTarget(target);
    const kind =
      parent === undefined || waiting !== undefined ? "missing" : this.#tree.kindOf(target);
    refuseLink(path, { target, kind, name });
    if (target === path && kind !== "missing") return;
    this.#notes.forget(path);
    this.#metadata.drop(path);
    if (kind !== "missing") {
      this.#making(path, () => this.#link(target, path));
      this.#listing?.hardLink(path, target);
      return;
    }
    this.#remove(path);
    this.#listing?.remove(path);
    this.#notes.link(path, waiting ?? target);
  }

  #link(target: ByteString, path: ByteString): void {
    const mayHaveAttributes = this.#metadata.hasAttributes;
    // Where no link can be made, a copy is.
    this.#filler.settle();
    linkOrCopy(this.#tree.at(target), this.#tree.at(path), { mayHaveAttributes });
  }

  #skipSpecial(path: ByteString): void {
    this.#remove(path);
    this.#listing?.remove(path);
    this.#metadata.drop(path);
    this.#notes.forget(path);
    this.#notes.skip(path);
    this.#metadata.tally.add("SPECIAL_SKIPPED", path);
  }

  /** Makes something at `path`, in place of what an earlier entry put there. */
  #making<Result>(path: ByteString, make: () => Result): Result {
    try {
      return make();
    } catch (error) {
      if (errnoOf(error) !== "EEXIST") throw error;
      this.#remove(path);
      this.#notes.replace(path);
      return make();
    }
  }

  /** Removes what stands at `path`, and what was noted of what it held. */
  #remove(path: ByteString): void {
    const gone = this.#tree.remove(path);
    for (const directory of gone) this.#directories.delete(directory);
    this.#notes.forgetIn(gone);
    this.#metadata.dropIn(gone);
  }
}

/** @throws StageError IMAGE_INVALID for hard links that no file system can hold */
function refuseLink(
  path: ByteString,
  link: { target: ByteString; kind: PathKind; name: ByteString },
): void {
  const { target, kind, name } = link;
  const isBelow = kind !== "missing" && target.startsWith(`${path}/`);
  if (kind !== "directory" && !isBelow) return;
  const what = isBelow ? "what lies below it," : "the directory";
  throw new StageError(
    "IMAGE_INVALID",
    `${displayPath(path)} is a hard link to ${what} ${displayPath(name)}`,
  );
}
