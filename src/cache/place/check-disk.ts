import { mkdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { StageError } from "../../errors.js";
import { printable } from "../../host/byte-string.js";
import { type FileSystemKind, fileSystemKind } from "../../host/file-system-kind.js";
import { mountOf } from "../../host/mount-of.js";
import { uniqueWord } from "../../host/unique-word.js";

const doubts = {
  network: "which is a network's: locks are not safe there, and small files slow",
  memory:
    "which is in memory: what is there takes memory from jobs, and is gone when the node boots",
  fuse: "which a program serves, maybe over a network: locks may not be safe there",
} as const satisfies Readonly<Record<NonNullable<FileSystemKind["doubt"]>, string>>;

/**
 * Refuses a file system on which a cache does not belong.
 * @param directory one that exists
 * @param allowed kinds of file systems that the user allows by name
 * @throws StageError CACHE_UNSUITABLE; errors of the file system
 */
export function checkKindOfDisk(directory: string, allowed: readonly string[]): void {
  const { name, doubt } = fileSystemKind(directory);
  if (doubt === undefined || allowed.includes(name)) return;
  const disk = mountOf(directory);
  const type = disk?.type ?? name;
  // The disk of a container that an ordinary user runs; it lies on a local one.
  if (type === "fuse.fuse-overlayfs" || allowed.includes(type)) return;
  const where = disk ? ` (${printable(disk.source)} on ${printable(disk.mountPoint)})` : "";
  throw new StageError(
    "CACHE_UNSUITABLE",
    `the cache ${printable(directory)} is on ${printable(type)}${where}, ${doubts[doubt]}`,
    { hint: `choose a local disk with --cache-dir, or allow this one with --allow-disk ${name}` },
  );
}

/**
 * Tries out, in a directory of the caller's, whether a disk holds what root file systems have. Hard
 * links may be missing: files are copied then.
 * @throws StageError CACHE_UNSUITABLE; errors of the file system
 */
export function tryDisk(directory: string, cache: string): void {
  const lack = lackOf(join(directory, `probe-${uniqueWord()}`));
  if (lack === undefined) return;
  const type = mountOf(directory)?.type ?? fileSystemKind(directory).name;
  throw new StageError(
    "CACHE_UNSUITABLE",
    `the cache ${printable(cache)} is on ${printable(type)}, which ${lack}`,
    { hint: "choose another disk with --cache-dir" },
  );
}

function lackOf(probe: string): string | undefined {
  mkdirSync(probe, { mode: 0o700 });
  try {
    writeFileSync(join(probe, "name"), "", { flag: "wx", mode: 0o600 });
    if (exists(join(probe, "NAME"))) return "takes names that differ in case for the same";
    if (!canLink(join(probe, "link"))) return "has no symbolic links";
    // Kinds without owners and modes show the same ones for all files.
    const isExact = (statSync(join(probe, "name")).mode & 0o777) === 0o600;
    return isExact ? undefined : "keeps no permissions";
  } finally {
    rmSync(probe, { recursive: true, force: true });
  }
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

function canLink(path: string): boolean {
  try {
    symlinkSync("name", path);
    return true;
  } catch {
    return false;
  }
}
