// @ts-check
/** The directories and files of this checkout that the scripts work with. */
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");
export const MODULES = join(ROOT, "node_modules");
export const DIST = join(ROOT, "dist");
export const EXECUTABLE = join(ROOT, "bin", "stage-rootfs.cjs");

/** Everything the scripts make besides dist/: ignored by git, safe to delete. */
export const WORK = join(ROOT, ".cache");

const { INIT_CWD = process.cwd() } = process.env;

/** Where the caller stood: npm runs every script at the root of the checkout. */
export const CALLER_DIRECTORY = INIT_CWD;

/**
 * Whether `path` is `directory` or lies below it, going by the names alone.
 * @param {string} path
 * @param {string} directory
 */
export function isInside(path, directory) {
  return path === directory || path.startsWith(directory + sep);
}

/**
 * `path` as the caller would type it: relative where that is shorter to read.
 * @param {string} path
 */
export function forCaller(path) {
  return isInside(path, CALLER_DIRECTORY) ? relative(CALLER_DIRECTORY, path) || "." : path;
}
