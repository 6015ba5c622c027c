import { chmodSync, lstatSync, readdirSync, rmdirSync, unlinkSync } from "node:fs";
import { errnoOf } from "../errors.js";
import { type ByteString, pathBelow } from "./byte-string.js";

/**
 * Removes `path` below `root` with all it holds, as `rm -rf` would, and also where directories lack
 * the permissions for it. Links are removed, never followed. Nothing there is no error.
 */
export function removeTree(root: string, path: ByteString = ""): void {
  const target = pathBelow(root, path);
  try {
    unlinkSync(target);
    return;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === "ENOENT") return;
    // Linux says EISDIR for a directory, POSIX EPERM.
    if (errno !== "EISDIR" && errno !== "EPERM") throw error;
    if (!lstatSync(target).isDirectory()) throw error;
  }
  emptyDirectory(root, path);
  rmdirSync(target);
}

/** Removes all that the directory `path` below `root` holds, and keeps the directory. */
export function emptyDirectory(root: string, path: ByteString): void {
  for (const child of childrenOf(root, path)) {
    const below = path === "" ? child.name : `${path}/${child.name}`;
    if (child.isDirectory()) {
      emptyDirectory(root, below);
      rmdirSync(pathBelow(root, below));
    } else {
      unlinkSync(pathBelow(root, below));
    }
  }
}

function childrenOf(root: string, path: ByteString) {
  const directory = pathBelow(root, path);
  const list = () => readdirSync(directory, { encoding: "latin1", withFileTypes: true });
  try {
    const children = list();
    if (children.length > 0) makeSearchable(directory);
    return children;
  } catch (error) {
    if (errnoOf(error) !== "EACCES") throw error;
    makeSearchable(directory);
    return list();
  }
}

function makeSearchable(directory: string | Buffer): void {
  const { mode } = lstatSync(directory);
  if ((mode & 0o700) !== 0o700) chmodSync(directory, mode | 0o700);
}
