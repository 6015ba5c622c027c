import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { errnoOf } from "../errors.js";

/**
 * Makes a directory and those above it that are missing; one that is there already is left alone.
 * Unlike mkdirSync with `recursive` it ends where a file system answers ENOENT for whatever is made
 * in it, as /proc does, and its errors are those of the call that failed.
 * @param path absolute
 */
export function makeDirectories(path: string, mode: number): void {
  try {
    makeOne(path, mode);
  } catch (error) {
    const parent = dirname(path);
    if (errnoOf(error) !== "ENOENT" || parent === path) throw error;
    makeDirectories(parent, mode);
    makeOne(path, mode);
  }
}

function makeOne(path: string, mode: number): void {
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    if (errnoOf(error) !== "EEXIST") throw error;
  }
}
