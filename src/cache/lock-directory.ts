import { randomBytes } from "node:crypto";
import {
  mkdirSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { errnoOf } from "../errors.js";
import {
  formatIdentity,
  livenessOf,
  ownIdentity,
  type ProcessIdentity,
  parseIdentity,
} from "../host/process-identity.js";

type Done<Result = void> = (error: unknown, result?: Result) => void;

/** The part of node:fs that proper-lockfile uses on a lock's directory. */
export interface LockFileSystem {
  mkdir(path: string, done: Done): void;
  rmdir(path: string, done: Done): void;
  rmdirSync(path: string): void;
  stat(path: string, done: Done<{ mtime: Date }>): void;
  utimes(path: string, atime: Date, mtime: Date, done: Done): void;
}

/**
 * A lock is a directory that holds one file, named after its owner. It comes into being with that
 * file by one rename, and breaking it begins with unlinking the file of the owner that was found
 * dead. So there are never two owners: whoever is late to break a lock finds that name gone, and a
 * new owner's directory can't be removed because it isn't empty.
 *
 * proper-lockfile judges a lock by its age alone; here a lock whose owner lives is always fresh,
 * one whose owner is dead always stale, and only where the owner can't be looked for (another PID
 * namespace, another host) does the age decide, which proper-lockfile's heartbeat keeps young.
 */
export function lockFileSystem(): LockFileSystem {
  const own = `${formatIdentity(ownIdentity())},${randomBytes(6).toString("hex")}`;
  let holds = false;
  let lastSeen: string | undefined;

  const take = (path: string) => {
    // Not named after the owner: with a layer's name before it, that could be too long a name.
    const made = `${path}.${randomBytes(6).toString("hex")}`;
    mkdirSync(made, { mode: 0o700 });
    try {
      writeFileSync(join(made, own), "", { flag: "wx" });
      renameSync(made, path);
      holds = true;
    } catch (error) {
      rmSync(made, { recursive: true, force: true });
      throw errnoOf(error) === "ENOTEMPTY" ? asExisting(error) : error;
    }
  };
  const remove = (path: string) => {
    const owner = holds ? own : lastSeen;
    holds = false;
    dissolve(path, owner);
  };
  const look = (path: string) => {
    const { mtime } = statSync(path);
    if (holds) return { mtime };
    lastSeen = readdirSync(path)[0];
    return { mtime: apparentTime(lastSeen, mtime) };
  };
  return {
    mkdir: (path, done) => settle(done, () => take(path)),
    rmdir: (path, done) => settle(done, () => remove(path)),
    rmdirSync: remove,
    stat: (path, done) => settle(done, () => look(path)),
    utimes: (path, atime, mtime, done) => settle(done, () => utimesSync(path, atime, mtime)),
  };
}

/** Takes a lock's directory away from `owner`; from anybody else it is not taken. */
function dissolve(path: string, owner: string | undefined): void {
  if (owner !== undefined) ignoring(["ENOENT"], () => unlinkSync(join(path, owner)));
  ignoring(["ENOENT", "ENOTEMPTY", "EEXIST"], () => rmdirSync(path));
}

/** When a lock's directory without an owner counts as left behind, in milliseconds. */
const orphanAge = 60_000;

/**
 * Removes the lock at `path`, or one that was being made, if a dead process left it behind. Where
 * nobody wants that lock any more, nobody else would.
 */
export function removeDeadLock(path: string): void {
  const fileName = readdirSync(path)[0];
  const owner = ownerIn(fileName);
  const isDead = owner
    ? livenessOf(owner) === "dead"
    : fileName === undefined && statSync(path).mtimeMs < Date.now() - orphanAge;
  if (isDead) dissolve(path, fileName);
}

/** Who holds the lock at `path`, where that can be told. */
export function lockOwner(path: string): ProcessIdentity | undefined {
  try {
    return ownerIn(readdirSync(path)[0]);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

function ownerIn(fileName: string | undefined): ProcessIdentity | undefined {
  return parseIdentity(fileName?.slice(0, fileName.lastIndexOf(",")) ?? "");
}

function apparentTime(fileName: string | undefined, mtime: Date): Date {
  const owner = ownerIn(fileName);
  // A directory without an owner is one that is being given up.
  const liveness = owner ? livenessOf(owner) : "dead";
  if (liveness === "unknown") return mtime;
  return liveness === "alive" ? new Date() : new Date(0);
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

function ignoring(errnos: readonly string[], work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!errnos.includes(errnoOf(error) ?? "")) throw error;
  }
}

function asExisting(error: unknown): Error {
  return Object.assign(new Error("the lock is held", { cause: error }), { code: "EEXIST" });
}
