import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { constants, setPriority } from "node:os";
import { errnoOf } from "../errors.js";

/** Linux's, as ionice(1) has them: it gets the disk when nobody else wants it. */
const idleClass = "3";

/** No program of the system takes longer, in milliseconds. */
const longestWait = 10_000;

/**
 * Has this process leave processors and disks to all others. Both are properties of threads, which
 * those that are started later inherit, as child processes do.
 * @returns what could not be done, for people; undefined where all was
 */
export function takeLowestPriority(): string | undefined {
  const threads = readdirSync("/proc/self/task");
  for (const thread of threads) lower(Number(thread));
  const { error, status, stderr } = spawnSync("ionice", ["-c", idleClass, "-p", ...threads], {
    encoding: "utf8",
    timeout: longestWait,
  });
  if (errnoOf(error) === "ENOENT") return "there is no ionice (util-linux)";
  if (!error && status === 0) return undefined;
  return `ionice failed: ${error?.message ?? stderr.trim()}`;
}

function lower(thread: number): void {
  try {
    setPriority(thread, constants.priority.PRIORITY_LOW);
  } catch (error) {
    // Threads may end at any time; the error's code does not say so.
    if (!String(error).includes("ESRCH")) throw error;
  }
}
