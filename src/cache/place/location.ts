import { chmodSync, existsSync, lstatSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { errnoOf, fromSystemError, StageError } from "../../errors.js";
import { printable } from "../../host/byte-string.js";
import { makeDirectories } from "../../host/make-directories.js";
import { readWholeFile } from "../../host/read-whole-file.js";
import { keepSpareLocks } from "../locks/spare-locks.js";
import { checkKindOfDisk, tryDisk } from "./check-disk.js";
import { isOpenToReaders } from "./readers.js";
import { type CachePlace, checkTrust } from "./trust.js";

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

const cacheTag = `Signature: 8a477f597d28d172789f06886806bc55
# This directory is a cache of stage-rootfs: image layers and root filesystems.
# Backup programs may leave it out (https://bford.info/cachedir/).
`;

/** A cache that is to be written to, and what it is to be like. */
export interface CacheToPrepare extends CachePlace {
  /** Whether everybody may read it. Only a new one can be made so. */
  readonly isShared?: boolean | undefined;
  /** Kinds of file systems that are allowed although caches don't belong there. */
  readonly allowedDisks?: readonly string[] | undefined;
}

/** What a cache has below `v1`, and who may see it in one that is shared. */
const directories: readonly (readonly [name: string, sharedMode: number])[] = [
  ["layers", 0o755],
  ["rootfs", 0o755],
  ["index", 0o755],
  ["leases", 0o755],
  ["blobs", 0o700],
  ["locks", 0o700],
  ["tmp", 0o700],
];

/** Whether a cache is one that everybody may read. */
export function isSharedCache(cacheDirectory: string): boolean {
  try {
    return isOpenToReaders(join(cacheDirectory, "v1"));
  } catch {
    return false;
  }
}

/**
 * Makes the cache directory where it is missing, private to the caller unless it is to be shared,
 * with what every cache has.
 * @throws StageError CACHE_UNTRUSTED, CACHE_UNSUITABLE, PERMISSION, NOT_WRITABLE, NO_SPACE,
 * NOT_FOUND
 */
export function prepareCache(cache: CacheToPrepare): void {
  const { cacheDirectory, allowedDisks = [], isShared = isSharedCache(cacheDirectory) } = cache;
  try {
    if (checkTrust(cache) === "foreign") throw ownersOnly(cacheDirectory);
    checkKindOfDisk(nearestDirectory(cacheDirectory), allowedDisks);
    makeDirectories(cacheDirectory, 0o700);
    checkTrust(cache);
    const version = join(cacheDirectory, "v1");
    // The last directory to be made.
    const isNew = !existsSync(join(version, "tmp"));
    if (!existsSync(version)) refuseForeignContent(cacheDirectory);
    if (isShared && !isNew && !isSharedCache(cacheDirectory)) throw alreadyPrivate(cacheDirectory);
    writeTag(join(cacheDirectory, "CACHEDIR.TAG"));
    makeDirectories(version, 0o700);
    if (isNew) tryDisk(version, cacheDirectory);
    if (isNew && isShared) share(cacheDirectory);
    for (const [name, mode] of directories) {
      makeWithMode(join(version, name), isShared ? mode : 0o700);
    }
    keepSpareLocks(join(version, "locks"));
  } catch (error) {
    throw fromSystemError(error, `make the cache ${printable(cacheDirectory)}`);
  }
}

/** A directory, or the nearest one above it where it is missing. */
export function nearestDirectory(path: string): string {
  return existsSync(path) || path === dirname(path) ? path : nearestDirectory(dirname(path));
}

function makeWithMode(path: string, mode: number): void {
  if (existsSync(path)) return;
  makeDirectories(path, 0o700);
  if (mode !== 0o700) chmodSync(path, mode);
}

function share(cacheDirectory: string): void {
  chmodSync(cacheDirectory, 0o755);
  chmodSync(join(cacheDirectory, "CACHEDIR.TAG"), 0o644);
  chmodSync(join(cacheDirectory, "v1"), 0o755);
}

/** For whoever would have to write to a cache that somebody else shares. */
export function ownersOnly(cacheDirectory: string): StageError {
  const { uid } = lstatSync(cacheDirectory);
  return new StageError(
    "PERMISSION",
    `the cache ${printable(cacheDirectory)} does not have all of the image, and only user ${uid}, to whom it belongs, can stage there`,
    { hint: "have that user stage it, or use a cache of your own with --cache-dir DIR" },
  );
}

function alreadyPrivate(cacheDirectory: string): StageError {
  return new StageError(
    "CACHE_UNTRUSTED",
    `the cache ${printable(cacheDirectory)} is private already, and what is in it was not made to be shared`,
    { hint: "give --shared a new directory with --cache-dir, or remove this one first" },
  );
}

/**
 * Refuses to make a cache of a directory that has something else, such as somebody's home.
 * @throws StageError CACHE_UNSUITABLE; errors of the file system
 */
export function refuseForeignContent(cacheDirectory: string): void {
  const names = readdirSync(cacheDirectory);
  // What mkfs makes at the top of a disk, and what a cache of any version has.
  const other = names.find((name) => name !== "lost+found" && !/^v\d+$/.test(name));
  if (other === undefined || isOurs(join(cacheDirectory, "CACHEDIR.TAG"))) return;
  throw new StageError(
    "CACHE_UNSUITABLE",
    `${printable(cacheDirectory)} is no cache of stage-rootfs: it has ${printable(other)} in it`,
    {
      hint: `choose an empty or new directory: --cache-dir ${printable(join(cacheDirectory, "stage-rootfs"))}`,
    },
  );
}

/** In bytes. */
const longestTag = 64 * 1024;

/** Also a tag without content is ours: whoever made it was killed before writing to it. */
function isOurs(tag: string): boolean {
  try {
    const text = readWholeFile(tag, longestTag).toString("latin1");
    return text === "" || text.includes("a cache of stage-rootfs");
  } catch {
    return false;
  }
}

function writeTag(path: string): void {
  try {
    writeFileSync(path, cacheTag, { flag: "wx" });
  } catch (error) {
    if (errnoOf(error) !== "EEXIST") throw error;
    const stat = lstatSync(path);
    if (stat.isFile() && stat.size === 0) writeFileSync(path, cacheTag);
  }
}
