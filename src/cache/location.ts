import { lstatSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { errnoOf, fromSystemError, StageError } from "../errors.js";
import { printable } from "../host/byte-string.js";
import { makeDirectories } from "../host/make-directories.js";

/** What the choice of a cache directory depends on. */
export interface LocationInputs {
  /** The user's `--cache-dir`. */
  readonly option: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly uid: number;
  /** Looks for the directory that the configuration has for this: many users may share it. */
  readonly configured?: () => string | undefined;
}

/** The cache directory, as an absolute path. */
export function chooseCacheDirectory(inputs: LocationInputs): string {
  const { option, env, uid, configured } = inputs;
  const chosen = option || env["STAGE_ROOTFS_CACHE_DIR"];
  if (chosen) return resolve(chosen);
  const parent = configured?.() ?? (uid === 0 ? "/var/cache" : "/var/tmp");
  return join(parent, uid === 0 ? "stage-rootfs" : `stage-rootfs-${uid}`);
}

/**
 * Makes sure that a cache directory is one that only the caller can have prepared.
 * @returns whether it exists
 * @throws StageError CACHE_UNTRUSTED, PERMISSION
 */
export function checkTrust(directory: string, uid: number): boolean {
  const stat = lstatIfAny(directory);
  if (!stat) return false;
  const doubt = stat.isSymbolicLink()
    ? "is a symbolic link"
    : !stat.isDirectory()
      ? "is not a directory"
      : stat.uid !== uid
        ? `belongs to user ${stat.uid}, not to you (${uid})`
        : (stat.mode & 0o022) !== 0
          ? "can be written to by others"
          : undefined;
  if (doubt === undefined) return true;
  throw new StageError("CACHE_UNTRUSTED", `the cache ${printable(directory)} ${doubt}`, {
    hint: "use a directory of your own with mode 0700: --cache-dir DIR",
  });
}

function lstatIfAny(path: string) {
  try {
    return lstatSync(path);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw fromSystemError(error, `look at the cache ${printable(path)}`);
  }
}

const cacheTag = `Signature: 8a477f597d28d172789f06886806bc55
# This directory is a cache of stage-rootfs: image layers and root filesystems.
# Backup programs may leave it out (https://bford.info/cachedir/).
`;

/**
 * Makes the cache directory where it is missing, private to the caller, with what every cache has.
 * @throws StageError CACHE_UNTRUSTED, PERMISSION, NOT_WRITABLE, NO_SPACE, NOT_FOUND
 */
export function prepareCache(directory: string, uid: number): void {
  try {
    makeDirectories(directory, 0o700);
    checkTrust(directory, uid);
    makeDirectories(join(directory, "v1"), 0o700);
    for (const name of ["layers", "rootfs", "blobs", "index", "locks", "leases", "tmp"]) {
      makeDirectories(join(directory, "v1", name), 0o700);
    }
    writeTag(join(directory, "CACHEDIR.TAG"));
  } catch (error) {
    throw fromSystemError(error, `make the cache ${printable(directory)}`);
  }
}

function writeTag(path: string): void {
  try {
    writeFileSync(path, cacheTag, { flag: "wx" });
  } catch (error) {
    if (errnoOf(error) !== "EEXIST") throw error;
  }
}
