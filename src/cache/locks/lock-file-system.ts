import { statSync, utimesSync } from "node:fs";
import { livenessOf } from "../../host/process-identity.js";
import { dissolveLock, namesIn, ownerIn, takeLock } from "./lock-directory.js";
import type { LockWatch } from "./lock-watch.js";
import { ownedName } from "./owned-name.js";
import { giveBackSpareLock, isFull, takeSpareLock } from "./spare-locks.js";

type Done<Result = void> = (error: unknown, result?: Result) => void;

/** The part of node:fs that proper-lockfile uses on a lock's directory. */
export interface LockFileSystem {
  mkdir(path: string, done: Done): void;
  rmdir(path: string, done: Done): void;
  rmdirSync(path: string): void;
  stat(path: string, done: Done<{ mtime: Date }>): void;
  utimes(path: string, atime: Date, mtime: Date, done: Done): void;
}

export interface LockFileSystemOptions {
  /** Whether to take a spare lock where the disk has no room for another. Default: false. */
  readonly mayUseSpare?: boolean | undefined;
}

/**
 * Has proper-lockfile take and break locks of the kind that lock-directory.ts describes. It judges
 * a lock by its age alone; here a lock whose owner lives is always fresh, one whose owner is dead
 * always stale, and only where the owner can't be looked for (another PID namespace, another host)
 * does it depend on proper-lockfile's heartbeat, which is watched.
 */
export function lockFileSystem(
  watch: LockWatch,
  { mayUseSpare = false }: LockFileSystemOptions = {},
): LockFileSystem {
  const own = ownedName();
  let holds = false;
  let isSpare = false;
  let lastSeen: string | undefined;

  const take = (path: string) => {
    try {
      takeLock(path, own);
    } catch (error) {
      if (!mayUseSpare || !isFull(error) || !takeSpareLock(path, own)) throw error;
      isSpare = true;
    }
    holds = true;
  };
  const remove = (path: string) => {
    if (holds && isSpare) giveBackSpareLock(path, own);
    else dissolveLock(path, holds ? own : lastSeen);
    holds = false;
  };
  const look = (path: string) => {
    const { mtime } = statSync(path);
    if (holds) return { mtime };
    lastSeen = namesIn(path)?.[0];
    return { mtime: isStale({ name: lastSeen, mtime }, watch) ? new Date(0) : new Date() };
  };
  return {
    mkdir: (path, done) => settle(done, () => take(path)),
    rmdir: (path, done) => settle(done, () => remove(path)),
    rmdirSync: remove,
    stat: (path, done) => settle(done, () => look(path)),
    utimes: (path, atime, mtime, done) => settle(done, () => utimesSync(path, atime, mtime)),
  };
}

function isStale(lock: { name: string | undefined; mtime: Date }, watch: LockWatch): boolean {
  const owner = ownerIn(lock.name);
  // A directory without an owner is one that is being given up.
  const liveness = owner ? livenessOf(owner) : "dead";
  return liveness === "unknown" ? watch.isSilent(lock) : liveness === "dead";
}

function settle<Result>(done: Done<Result>, work: () => Result): void {
  let result: Result;
  try {
    result = work();
  } catch (error) {
    process.nextTick(done, error);
    return;
  }
  process.nextTick(done, null, result);
}
