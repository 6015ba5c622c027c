import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, fsyncSync, openSync, statfsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { errnoOf, StageError } from "../errors.js";

/** How an attempt to have all of a file system on its disk ended. */
export type SyncOutcome =
  | "synced"
  /** There is no program that could do it. */
  | "unavailable"
  /** It goes on without us. */
  | "late";

export interface SyncOptions {
  /** How long it may take, in milliseconds. */
  readonly patience: number;
  readonly signal?: AbortSignal | undefined;
}

/** Magic numbers of file systems that are never on a disk: tmpfs and ramfs (statfs(2)). */
const inMemory: ReadonlySet<number> = new Set([0x01021994, 0x858458f6]);

/** Whether nothing in `directory` could survive a loss of power. */
export function isInMemory(directory: string): boolean {
  return inMemory.has(statfsSync(directory).type);
}

/**
 * Has all that was written to the file system of `directory`, by anybody, written to its disk. Node
 * has no syncfs(2), and an fsync for each of many files takes many times longer; `sync -f` of
 * coreutils and busybox is that system call.
 * @throws StageError NOT_WRITABLE, NO_SPACE when the disk has refused something that was written;
 *   what `signal` was aborted with
 */
export async function syncFileSystem(
  directory: string,
  { patience, signal }: SyncOptions,
): Promise<SyncOutcome> {
  signal?.throwIfAborted();
  const { PATH = "" } = process.env;
  const child = spawn("sync", ["-f", directory], {
    stdio: ["ignore", "ignore", "pipe"],
    env: { PATH: PATH || "/usr/bin:/bin", LC_ALL: "C" },
  });
  const over = new AbortController();
  const stop = signal ? AbortSignal.any([signal, over.signal]) : over.signal;
  const late = sleep(patience, "late" as const, { signal: stop }).catch((): SyncOutcome => {
    signal?.throwIfAborted();
    return "late";
  });
  try {
    return await Promise.race([ended(child, directory), late]);
  } finally {
    over.abort();
    // One that waits for a disk can't be killed, and need not be waited for.
    child.kill("SIGKILL");
    child.stderr?.destroy();
    child.unref();
  }
}

function ended(child: ChildProcess, directory: string): Promise<SyncOutcome> {
  let stderr = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.once("error", (error) => {
      if (errnoOf(error) === "ENOENT" || errnoOf(error) === "EACCES") resolve("unavailable");
      else reject(error);
    });
    child.once("close", (status) => {
      const failure = status === 0 ? undefined : failureIn(stderr, directory);
      if (failure) reject(failure);
      else resolve(status === 0 ? "synced" : "unavailable");
    });
  });
}

/** Undefined where it is the program that failed, and not the disk. */
function failureIn(stderr: string, directory: string): StageError | undefined {
  const reason = /(input\/output error|no space left on device|disk quota exceeded)\s*$/i.exec(
    stderr,
  )?.[1];
  if (reason === undefined) return undefined;
  const isFull = !reason.toLowerCase().startsWith("input");
  return new StageError(
    isFull ? "NO_SPACE" : "NOT_WRITABLE",
    `cannot write ${directory} to its disk: ${reason.toLowerCase()}`,
    { hint: isFull ? "free some space, or choose another disk" : "look at the node's disk" },
  );
}

/** Has a file's content, or a directory's names, written to disk. @throws errors of system calls */
export function fsyncPath(path: string): void {
  const fd = openSync(path, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
