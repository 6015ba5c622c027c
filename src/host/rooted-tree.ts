import { lstatSync, readlinkSync } from "node:fs";
import { errnoOf, StageError } from "../errors.js";
import { type ByteString, displayPath, pathBelow } from "./byte-string.js";
import { emptyDirectory, removeTree } from "./remove-tree.js";

/** How many links one path may lead through, as the kernel has it. */
const linkLimit = 40;

/** What stands at a path, the last component not followed. */
export type PathKind = "missing" | "directory" | "symlink" | "file";

/**
 * A directory tree that untrusted paths are resolved in, and never out of: absolute links and `..`
 * start and stop at its root. The tree must be this thread's alone while the object lives: what it
 * has seen to be a real directory it takes for one until it removes it itself.
 */
export class RootedTree {
  /** Absolute path of the root, as ordinary text. */
  readonly root: string;
  readonly #directories = new Set<ByteString>([""]);

  constructor(root: string) {
    this.root = root;
  }

  /** What node:fs takes for a path of the tree. */
  at(path: ByteString): string | Buffer {
    return pathBelow(this.root, path);
  }

  /** Whether `path`, in its resolved form, is known to be a real directory. */
  isKnownDirectory(path: ByteString): boolean {
    return this.#directories.has(path);
  }

  /** Says that the caller made a directory at the resolved path `path`. */
  addDirectory(path: ByteString): void {
    this.#directories.add(path);
  }

  /**
   * The real directory that `path` leads to, every component followed.
   * @param make makes the directory at a resolved path where there is none (what stands in its way
   * has been removed); without it, nothing is made
   * @returns its path with all links resolved; undefined where there is none and none was made
   * @throws StageError IMAGE_INVALID for a loop of links
   */
  resolveDirectory(
    path: ByteString,
    make?: (resolved: ByteString) => void,
  ): ByteString | undefined {
    if (this.#directories.has(path)) return path;
    const pending = path.split("/").reverse();
    let at: ByteString = "";
    let links = 0;
    for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
      if (name === "" || name === ".") continue;
      if (name === "..") {
        at = parentOf(at);
        continue;
      }
      const next = join(at, name);
      const kind = this.kindOf(next);
      if (kind === "symlink") {
        if (++links > linkLimit) throw linkLoop(path);
        const target = readlinkSync(this.at(next), { encoding: "latin1" });
        if (target.startsWith("/")) at = "";
        pending.push(...target.split("/").reverse());
        continue;
      }
      if (kind !== "directory") {
        if (!make) return undefined;
        if (kind === "file") this.remove(next);
        make(next);
        this.#directories.add(next);
      }
      at = next;
    }
    return at;
  }

  /** What stands at `path`, whose parent is a resolved path. */
  kindOf(path: ByteString): PathKind {
    if (this.#directories.has(path)) return "directory";
    const stat = lstatIfAny(this.at(path));
    if (!stat) return "missing";
    if (stat.isDirectory()) {
      this.#directories.add(path);
      return "directory";
    }
    return stat.isSymbolicLink() ? "symlink" : "file";
  }

  /** Removes what stands at `path`, whose parent is a resolved path; nothing there is no error. */
  remove(path: ByteString): void {
    removeTree(this.root, path);
    this.#forget(path, `${path}/`);
    this.#directories.delete(path);
  }

  /** Removes all that the resolved directory `path` holds. */
  empty(path: ByteString): void {
    emptyDirectory(this.root, path);
    this.#forget(path, path === "" ? "" : `${path}/`);
  }

  #forget(path: ByteString, prefix: string): void {
    if (!this.#directories.has(path)) return;
    for (const directory of this.#directories) {
      if (directory !== path && directory.startsWith(prefix)) this.#directories.delete(directory);
    }
    this.#directories.add("");
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

function lstatIfAny(path: string | Buffer) {
  try {
    return lstatSync(path);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

function linkLoop(path: ByteString): StageError {
  return new StageError("IMAGE_INVALID", `${displayPath(path)}: too many symbolic links`);
}
