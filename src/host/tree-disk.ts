import { lstatSync, readlinkSync } from "node:fs";
import { errnoOf } from "../errors.js";
import { type ByteString, pathBelow } from "./byte-string.js";
import { emptyDirectory, removeTree } from "./remove-tree.js";

/** What a disk takes for a path. */
export type DiskPath = string | Buffer;

/** What stands at a path, the last component not followed. */
export type PathKind = "missing" | "directory" | "symlink" | "file";

/** Where a tree is: on the machine's disk, or in a likeness of it that only has names. */
export interface TreeDisk {
  /** What the disk's other functions take for `path` below `root`. */
  at(root: string, path: ByteString): DiskPath;
  kindOf(path: DiskPath): PathKind;
  /** Where a symlink leads. */
  targetOf(path: DiskPath): ByteString;
  /** As {@link removeTree}. */
  remove(root: string, path: ByteString): void;
  /** As {@link emptyDirectory}. */
  empty(root: string, path: ByteString): void;
}

/** The machine's own. */
export const machineDisk: TreeDisk = {
  at: pathBelow,
  kindOf(path) {
    const stat = lstatIfAny(path);
    if (!stat) return "missing";
    if (stat.isDirectory()) return "directory";
    return stat.isSymbolicLink() ? "symlink" : "file";
  },
  targetOf: (path) => readlinkSync(path, { encoding: "latin1" }),
  remove: removeTree,
  empty: emptyDirectory,
};

function lstatIfAny(path: DiskPath) {
  try {
    return lstatSync(path);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
}
