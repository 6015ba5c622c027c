import { chmodSync } from "node:fs";
import { lstatIfAny } from "./lstat-if-any.js";

/**
 * Lets its owner into a directory, and write to it: only then can it move to another directory.
 * Of anything else nothing is changed.
 * @throws errors of the file system
 */
export function makeMovable(path: string): void {
  const stat = lstatIfAny(path);
  if (stat?.isDirectory() && (stat.mode & 0o700) !== 0o700) chmodSync(path, stat.mode | 0o700);
}
