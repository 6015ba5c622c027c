import { errnoOf, StageError } from "../errors.js";
import { type ByteString, displayPath } from "../host/byte-string.js";
import { baseOf, join, parentOf, RootedTree } from "../host/rooted-tree.js";
import type { DiskPath } from "../host/tree-disk.js";
import { currentUmask } from "../host/umask.js";
import {
  type AssemblyDisk,
  type DescribedDirectory,
  machineAssemblyDisk,
} from "./assembly-disk.js";
import type { DiskMetadata } from "./metadata.js";
import { PathMap } from "./path-map.js";

const defaultDirectory: DiskMetadata = { mode: 0o755, uid: 0, gid: 0, mtime: 0 };

/** A rootfs that layers are being added to. */
export class GrowingRootfs {
  readonly tree: RootedTree;
  readonly disk: AssemblyDisk;
  /** Whether files may have extended attributes; if not, a copy does without a look. */
  mayHaveAttributes = false;
  readonly #umask: number = currentUmask();
  readonly #directories = new Map<ByteString, DescribedDirectory>([["", defaultDirectory]]);
  readonly #skipped = new PathMap<true>();
  readonly #ownPlaces = new Set<ByteString>();

  constructor(directory: string, disk: AssemblyDisk = machineAssemblyDisk()) {
    this.disk = disk;
    this.tree = new RootedTree(directory, disk);
  }

  /** Begins with the next layer: what was added so far is that of lower ones. */
  beginLayer(): void {
    this.#ownPlaces.clear();
  }

  /** Says that the present layer adds to a directory for which it may have several names. */
  addsTo(directory: ByteString): void {
    this.#ownPlaces.add(directory);
  }

  /**
   * Puts a directory like `source` at the resolved path `path`, or makes the one that is there like
   * it; anything else there is removed.
   * @returns whether it is new
   */
  describe(
    path: ByteString,
    { source, attributes }: { source: DiskPath; attributes: DiskMetadata["attributes"] },
  ): boolean {
    const metadata = this.disk.metadataOf(source);
    const isNew = !this.tree.isKnownDirectory(path);
    // Whoever can't write to it could not fill it, so some get their mode only at the end.
    const isExact = isNew && (metadata.mode & (this.#umask | 0o7000 | 0o700)) === 0o700;
    if (isNew) {
      const mode = isExact ? metadata.mode : 0o700;
      this.#replacing(path, () => this.disk.makeDirectory(this.tree.at(path), mode));
      this.tree.addDirectory(path);
    }
    this.#directories.set(path, { ...metadata, attributes, isExact });
    return isNew;
  }

  /** A directory that a layer only passes through: the lower layers' one, links followed. */
  pass(path: ByteString): ByteString {
    const resolved = this.tree.resolveDirectory(path, (missing) => {
      this.disk.makeDirectory(this.tree.at(missing), 0o700);
      this.#directories.set(missing, defaultDirectory);
    });
    return resolved ?? path;
  }

  /** Gives the file `source` the name `path` too, whatever was there. */
  link(source: DiskPath, path: ByteString): void {
    const target = this.tree.at(path);
    this.#replacing(path, () => this.linkOrCopy(source, target));
  }

  linkOrCopy(source: DiskPath, target: DiskPath): void {
    this.disk.linkOrCopy(source, target, { mayHaveAttributes: this.mayHaveAttributes });
  }

  remove(path: ByteString): void {
    const gone = this.tree.remove(path);
    const own = gone.find((directory) => this.#ownPlaces.has(directory));
    if (own !== undefined) throw replacesItself(own);
    this.#forget(gone);
    this.#skipped.delete(path);
  }

  /** Removes all that a directory holds. */
  empty(directory: ByteString): void {
    this.#forget(this.tree.empty(directory));
    this.#skipped.deleteIn([directory]);
  }

  /** Remembers that a device or fifo is missing at `path`, for links to it. */
  skip(path: ByteString): void {
    const place = this.placeOf(path);
    if (place !== undefined) this.#skipped.set(place, true);
  }

  isSkipped(path: ByteString): boolean {
    const place = this.placeOf(path);
    if (place === undefined || !this.#skipped.get(place)) return false;
    return this.tree.kindOf(place) === "missing";
  }

  /** `path` with all but its last component resolved; undefined where it leads nowhere. */
  placeOf(path: ByteString): ByteString | undefined {
    const parent = this.tree.resolveDirectory(parentOf(path));
    return parent === undefined ? undefined : join(parent, baseOf(path));
  }

  /** Sets what could be set only when nothing is added any more. */
  finish(): void {
    for (const [path, directory] of this.#directories) {
      this.disk.describe(this.tree.at(path), directory);
    }
  }

  #replacing(path: ByteString, put: () => void): void {
    try {
      put();
    } catch (error) {
      if (errnoOf(error) !== "EEXIST") throw error;
      this.remove(path);
      put();
    }
  }

  #forget(gone: readonly ByteString[]): void {
    for (const directory of gone) this.#directories.delete(directory);
    this.#skipped.deleteIn(gone);
  }
}

function replacesItself(path: ByteString): StageError {
  return new StageError(
    "IMAGE_INVALID",
    `a layer replaces the directory ${displayPath(path)} that it adds to, through a link`,
    { hint: "the image is malformed or hostile: build it again" },
  );
}
