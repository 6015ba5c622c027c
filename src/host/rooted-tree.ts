import { StageError } from "../errors.js";
import { type ByteString, displayPath } from "./byte-string.js";
import { type DiskPath, machineDisk, type PathKind, type TreeDisk } from "./tree-disk.js";

/** How many links one path may lead through, as the kernel has it. */
const linkLimit = 40;

/**
 * A directory tree that untrusted paths are resolved in, and never out of: absolute links and `..`
 * start and stop at its root. The tree must be this thread's alone while the object lives: what it
 * has seen to be a real directory it takes for one until it removes it itself.
 */
export class RootedTree {
  /** Absolute path of the root, as ordinary text. */
  readonly root: string;
  readonly #disk: TreeDisk;
  /** Known real directories, each with those right below it. */
  readonly #directories = new Map<ByteString, Set<ByteString>>([["", new Set()]]);

  constructor(root: string, disk: TreeDisk = machineDisk) {
    this.root = root;
    this.#disk = disk;
  }

  /** What the disk takes for a path of the tree; on the machine's that is what node:fs does. */
  at(path: ByteString): DiskPath {
    return this.#disk.at(this.root, path);
  }

  /** Whether `path`, in its resolved form, is known to be a real directory. */
  isKnownDirectory(path: ByteString): boolean {
    return this.#directories.has(path);
  }

  /** Says that the caller made a directory at the resolved path `path`. */
  addDirectory(path: ByteString): void {
    if (this.#directories.has(path)) return;
    this.#directories.set(path, new Set());
    this.#directories.get(parentOf(path))?.add(path);
  }

  /**
   * The real directory that `path` leads to, every component followed.
   * @param make makes the directory at a resolved path where there is none; what stood in its way
   * has been removed, and is `was`. Without it, nothing is made
   * @returns its path with all links resolved; undefined where there is none and none was made
   * @throws StageError IMAGE_INVALID for a loop of links
   */
  resolveDirectory(
    path: ByteString,
    make?: (resolved: ByteString, was: "missing" | "file") => void,
  ): ByteString | undefined {
    return this.#follow(path, (next, kind) => {
      if (!make) return false;
      if (kind === "file") this.remove(next);
      make(next, kind);
      this.addDirectory(next);
      return true;
    });
  }

  /**
   * `path` with the links resolved that the tree has on its way. What else it leads through is taken
   * for a directory.
   * @throws StageError IMAGE_INVALID for a loop of links
   */
  resolveLinks(path: ByteString): ByteString {
    return this.#follow(path, () => true) ?? path;
  }

  /** @param pass whether to go on below what is no directory */
  #follow(
    path: ByteString,
    pass: (next: ByteString, kind: "missing" | "file") => boolean,
  ): ByteString | undefined {
    let at = this.#deepestKnown(path);
    if (at === path) return path;
    const rest = at === "" ? path : path.slice(at.length + 1);
    const pending = rest.split("/").reverse();
    let links = 0;
    /** What is no directory and was not made one: nothing can be below it. */
    let absent: ByteString | undefined;
    for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
      if (name === "" || name === ".") continue;
      if (name === "..") {
        at = parentOf(at);
        continue;
      }
      const next = join(at, name);
      const isBelowAbsent = absent !== undefined && next.startsWith(`${absent}/`);
      const kind = isBelowAbsent ? "missing" : this.kindOf(next);
      if (kind === "symlink") {
        if (++links > linkLimit) throw linkLoop(path);
        const target = this.#disk.targetOf(this.at(next));
        if (target.startsWith("/")) at = "";
        pending.push(...target.split("/").reverse());
        continue;
      }
      if (kind !== "directory") {
        if (!pass(next, kind)) return undefined;
        if (!isBelowAbsent && !this.isKnownDirectory(next)) absent = next;
      }
      at = next;
    }
    return at;
  }

  /** The longest leading part of `path` that is known to be a real directory. */
  #deepestKnown(path: ByteString): ByteString {
    let known = path;
    while (!this.#directories.has(known)) known = parentOf(known);
    return known;
  }

  /** What stands at `path`, whose parent is a resolved path. */
  kindOf(path: ByteString): PathKind {
    if (this.#directories.has(path)) return "directory";
    const kind = this.#disk.kindOf(this.at(path));
    if (kind === "directory") this.addDirectory(path);
    return kind;
  }

  /**
   * Removes what stands at `path`, whose parent is a resolved path; nothing there is no error.
   * @returns the known directories that are gone: `path`, if it was one, and those below
   */
  remove(path: ByteString): readonly ByteString[] {
    this.#disk.remove(this.root, path);
    this.#directories.get(parentOf(path))?.delete(path);
    return this.#forget(path);
  }

  /**
   * Removes all that the resolved directory `path` holds.
   * @returns the known directories that are gone
   */
  empty(path: ByteString): readonly ByteString[] {
    this.#disk.empty(this.root, path);
    const below = [...(this.#directories.get(path) ?? [])];
    this.#directories.set(path, new Set());
    return below.flatMap((directory) => this.#forget(directory));
  }

  #forget(path: ByteString): readonly ByteString[] {
    const gone: ByteString[] = [];
    const pending = [path];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const below = this.#directories.get(next);
      if (!below) continue;
      this.#directories.delete(next);
      gone.push(next);
      pending.push(...below);
    }
    return gone;
  }
}

export function join(parent: ByteString, name: ByteString): ByteString {
  return parent === "" ? name : `${parent}/${name}`;
}

export function parentOf(path: ByteString): ByteString {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

export function baseOf(path: ByteString): ByteString {
  return path.slice(path.lastIndexOf("/") + 1);
}

function linkLoop(path: ByteString): StageError {
  return new StageError("IMAGE_INVALID", `${displayPath(path)}: too many symbolic links`);
}
