// @ts-check
/** Where the measured programs write to. */
import { mkdirSync, mkdtempSync, readFileSync, statfsSync } from "node:fs";
import { join } from "node:path";
import { WORK } from "../../scripts/lib/paths.mjs";
import { probe, run } from "../../scripts/lib/run.mjs";
import { ScriptError } from "../../scripts/lib/script.mjs";

const MEMORY = "/dev/shm";

/**
 * @typedef {object} Workplace
 * @property {string} directory empty, and ours
 * @property {string} fileSystem its type, such as `tmpfs`
 */

/**
 * Makes a directory to measure in: below `wanted`, else in memory if there is room, else below the
 * checkout. Memory is the default because a file system on disk may take ten times as long to make
 * a file for a while after many were deleted, and the bench deletes after each run.
 * @param {string | undefined} wanted
 * @param {number} bytes what has to fit
 * @returns {Workplace}
 */
export function makeWorkplace(wanted, bytes) {
  const parent = wanted ?? (hasRoom(MEMORY, bytes) ? MEMORY : join(WORK, "bench"));
  mkdirSync(parent, { recursive: true });
  if (!hasRoom(parent, bytes)) {
    const gibibytes = Math.ceil(bytes / 1024 ** 3);
    throw new ScriptError(
      `${parent} has too little room: the bench needs ${gibibytes} GiB; name another place with --dir`,
    );
  }
  const directory = mkdtempSync(join(parent, "stage-rootfs-bench-"));
  return { directory, fileSystem: fileSystemOf(directory) };
}

/**
 * Whether `directory` can take so many bytes.
 * @param {string} directory
 * @param {number} bytes
 */
export function hasRoom(directory, bytes) {
  try {
    const { bavail, bsize } = statfsSync(directory);
    const inMemory = fileSystemOf(directory) === "tmpfs";
    return Math.min(bavail * bsize, inMemory ? availableMemory() / 2 : Infinity) >= bytes;
  } catch {
    return false;
  }
}

/** @param {string} directory */
export function removeAll(directory) {
  if (process.getuid?.() !== 0) {
    // A directory that its owner may not write to can't be emptied.
    run([
      "find",
      directory,
      "-type",
      "d",
      "!",
      "-perm",
      "-700",
      "-exec",
      "chmod",
      "u+rwx",
      "{}",
      "+",
    ]);
  }
  const status = run(["rm", "-rf", directory]);
  if (status !== 0) {
    throw new ScriptError(`${directory} could not be deleted: see the message of rm above`);
  }
}

/** @param {string} directory */
function fileSystemOf(directory) {
  return probe(["stat", "--file-system", "--format=%T", directory]).stdout.trim() || "unknown";
}

/** Bytes of memory that programs can have without swapping. */
function availableMemory() {
  const kibibytes = /^MemAvailable:\s+(\d+)/m.exec(readFileSync("/proc/meminfo", "utf8"))?.[1];
  return Number(kibibytes ?? 0) * 1024;
}
