import { chmodSync, chownSync, existsSync, mkdtempSync, statfsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { User } from "./users.js";

/**
 * The directory for what is kept from one run to the next. `/var/tmp` rather than `/tmp`, which is
 * often small and emptied at each boot. `TMPDIR` overrides it.
 */
export function scratchRoot(): string {
  const { TMPDIR = "/var/tmp" } = process.env;
  return TMPDIR;
}

/** Enough for the caches of a few tests that run side by side, in bytes. */
const roomForCaches = 4 * 1024 ** 3;

/**
 * The directory for what a test makes and removes again: in memory where there is room. On ext4
 * making files is many times slower for minutes after many were deleted, which is what tests do.
 */
function fleetingRoot(): string {
  if (process.env["TMPDIR"] !== undefined || !existsSync(sharedMemory)) return scratchRoot();
  const { bavail, bsize } = statfsSync(sharedMemory);
  const isWritable = (statSync(sharedMemory).mode & 0o002) !== 0;
  return isWritable && bavail * bsize >= roomForCaches ? sharedMemory : scratchRoot();
}

const sharedMemory = "/dev/shm";

/** The first directory on the way to `path` that others may not pass, or undefined. */
export function firstClosedDirectory(path: string): string | undefined {
  const parent = dirname(path);
  const above = parent === path ? undefined : firstClosedDirectory(parent);
  return above ?? ((statSync(path).mode & 0o001) === 0 ? path : undefined);
}

/** Makes a new directory of the given mode in the scratch directory, owned by `owner` if given. */
export function makeScratchDir(prefix: string, options: { mode: number; owner?: User }): string {
  const dir = mkdtempSync(join(fleetingRoot(), `stage-rootfs-test-${prefix}-`));
  chmodSync(dir, options.mode);
  if (options.owner !== undefined) {
    chownSync(dir, options.owner.uid, options.owner.gid);
  }
  return dir;
}
