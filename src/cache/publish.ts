import { renameSync } from "node:fs";
import { join } from "node:path";
import { errnoOf, fromSystemError } from "../errors.js";
import { lstatIfAny } from "../host/lstat-if-any.js";
import { makeMovable } from "../host/make-movable.js";
import { removeTree } from "../host/remove-tree.js";
import type { CacheLayout } from "./layout.js";
import { type LockOptions, lockOrAdopt } from "./locks/lock.js";
import { makeWorkDirectory } from "./work-directory.js";

export interface WaitOptions {
  /** How long to wait for another's staging, in seconds; undefined for as long as it takes. */
  readonly wait?: number | undefined;
  readonly onWait?: LockOptions<unknown>["onWait"];
  readonly statusOf?: LockOptions<unknown>["statusOf"];
  readonly signal?: AbortSignal | undefined;
}

export interface PublishOptions<Value> extends WaitOptions {
  /** What is made, for messages. */
  readonly what: string;
  /** Name of its lock. */
  readonly lock: string;
  /** Where it is to stand. */
  readonly path: string;
  /** Reads it where it stands; undefined when it is missing or not whole. */
  readonly read: () => Value | undefined;
  /** Called under the lock, before the last look: shows again what was hidden and not removed. */
  readonly restore?: () => void;
  /** Makes it in an empty directory, which then moves to `path` whole. */
  readonly make: (directory: string) => Promise<Value>;
}

export interface Published<Value> {
  readonly value: Value;
  /** Whether this call made it. */
  readonly made: boolean;
  /** How long it waited for other processes, in milliseconds. */
  readonly waitedMs: number;
}

/**
 * What is published under a name: made once, whatever the number of processes that want it, and
 * visible only whole.
 * @throws what `make` throws; StageError BUSY, NOT_WRITABLE, NO_SPACE
 */
export async function readOrPublish<Value>(
  layout: CacheLayout,
  options: PublishOptions<Value>,
): Promise<Published<Value>> {
  const { what, path, read, make } = options;
  const outcome = await lockOrAdopt(layout.lock(options.lock), { ...options, what, adopt: read });
  const { waitedMs } = outcome;
  if (outcome.kind === "adopted") return { value: outcome.value, made: false, waitedMs };
  try {
    options.restore?.();
    // It may have been made between the last look and the lock.
    const existing = read();
    if (existing !== undefined) return { value: existing, made: false, waitedMs };
    return { ...(await makeAndMove(layout, { ...options, path, read, make })), waitedMs };
  } finally {
    await outcome.release();
  }
}

type Made<Value> = Omit<Published<Value>, "waitedMs">;

async function makeAndMove<Value>(
  layout: CacheLayout,
  options: Pick<PublishOptions<Value>, "path" | "read" | "make" | "signal">,
): Promise<Made<Value>> {
  const { path, read, make, signal } = options;
  const directory = makeWorkDirectory(layout);
  try {
    const value = await make(directory);
    signal?.throwIfAborted();
    return moveInPlace(layout, { directory, path, read, value });
  } finally {
    removeTree(directory);
  }
}

function moveInPlace<Value>(
  layout: CacheLayout,
  move: { directory: string; path: string; read: () => Value | undefined; value: Value },
): Made<Value> {
  const { directory, path, read, value } = move;
  try {
    renameSync(directory, path);
    return { value, made: true };
  } catch (error) {
    if (!isTaken(path, error)) throw fromSystemError(error, `write ${path}`);
  }
  // Whoever was first has published the same content; a broken one has to make way.
  const existing = read();
  if (existing !== undefined) return { value: existing, made: false };
  const aside = makeWorkDirectory(layout);
  try {
    makeMovable(path);
    renameSync(path, join(aside, "broken"));
    removeTree(aside);
    renameSync(directory, path);
  } catch (error) {
    throw fromSystemError(error, `replace ${path}`);
  }
  return { value, made: true };
}

/** Whether something stands where a directory was to go: another one, or no directory at all. */
function isTaken(path: string, error: unknown): boolean {
  const errno = errnoOf(error);
  if (errno === "ENOTDIR") return lstatIfAny(path) !== undefined;
  return errno === "ENOTEMPTY" || errno === "EEXIST";
}
