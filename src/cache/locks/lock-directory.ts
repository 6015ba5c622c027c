import {
  mkdirSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { errnoOf } from "../../errors.js";
import { ignoring } from "../../host/ignoring.js";
import { isUnreadable } from "../../host/is-unreadable.js";
import { livenessOf, type ProcessIdentity, parseIdentity } from "../../host/process-identity.js";
import { removeTree } from "../../host/remove-tree.js";

/**
 * Takes a lock. It is a directory that holds one file, named after its owner. It comes into being
 * with that file by one rename, and breaking it begins with unlinking the file of the owner that
 * was found dead. So there are never two owners: whoever is late to break a lock finds that name
 * gone, and a new owner's directory can't be removed because it isn't empty.
 * @param owner an {@link ownedName} of this process
 * @throws an error with the code EEXIST when the lock is held; errors of the file system
 */
export function takeLock(path: string, owner: string): void {
  // Under this name too it says whose it is, in case it stays there.
  placeLock(path, { maker: owner, holds: owner });
}

/**
 * Makes a lock's directory under the name `maker`, with a file in it, and then moves it to `path`.
 * @throws an error with the code EEXIST when there is a lock; errors of the file system
 */
export function placeLock(path: string, lock: { maker: string; holds: string }): void {
  const made = join(dirname(path), lock.maker);
  mkdirSync(made, { mode: 0o700 });
  try {
    writeFileSync(join(made, lock.holds), "", { flag: "wx" });
    renameSync(made, path);
  } catch (error) {
    rmSync(made, { recursive: true, force: true });
    // What is no directory can't be a lock of anybody: the next try is without it.
    if (errnoOf(error) === "ENOTDIR")
      ignoring(["EISDIR", "EPERM", "ENOENT"], () => unlinkSync(path));
    throw isHeld(error) ? asExisting(error) : error;
  }
}

/** Whether an error of moving a lock to its place says that there is one. */
export function isHeld(error: unknown): boolean {
  return heldErrnos.has(errnoOf(error) ?? "");
}

/**
 * Takes a lock's directory away from `owner`; from anybody else it is not taken. What is no owner's
 * name is nobody's, whatever it is.
 */
export function dissolveLock(path: string, owner: string | undefined): void {
  if (owner !== undefined && !ownerIn(owner)) removeTree(join(path, owner));
  else if (owner !== undefined) ignoring(["ENOENT"], () => unlinkSync(join(path, owner)));
  ignoring(["ENOENT", "ENOTEMPTY", "EEXIST"], () => rmdirSync(path));
}

/** How old something becomes whose maker can't be looked for, in milliseconds: a day. */
const unknownLifetime = 24 * 60 * 60 * 1000;

/**
 * Whether nobody needs what is in the directory of locks under `path` any more: the lock of a dead
 * process, one that such a process was about to make, or one whose owner has left it already.
 */
export function isDeadLock(path: string): boolean {
  const names = namesIfReadable(path);
  if (!names) return false;
  const maker = ownerIn(basename(path));
  const [fileName] = names;
  // Only while it is made does a lock have no owner, and then it has another name.
  if (fileName === undefined && !maker) return true;
  const owner = maker ?? ownerIn(fileName);
  const liveness = owner ? livenessOf(owner) : "unknown";
  if (liveness !== "unknown") return liveness === "dead";
  return maker !== undefined && isOlderThan(path, unknownLifetime);
}

/** Removes the lock at `path` if it {@link isDeadLock}. Where nobody wants it, nobody else would. */
export function removeDeadLock(path: string): void {
  if (isDeadLock(path)) dissolveLock(path, namesIn(path)?.[0]);
}

/** Of what can't be looked into nobody knows that it is dead. */
function namesIfReadable(path: string): readonly string[] | undefined {
  try {
    return namesIn(path);
  } catch (error) {
    if (isUnreadable(error)) return undefined;
    throw error;
  }
}

/** Who holds the lock at `path`, where that can be told. */
export function lockOwner(path: string): ProcessIdentity | undefined {
  return ownerIn(namesIn(path)?.[0]);
}

/** What the lock at `path` holds; undefined where there is none, nor a directory. */
export function namesIn(path: string): readonly string[] | undefined {
  try {
    return readdirSync(path);
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") return undefined;
    throw error;
  }
}

function isOlderThan(path: string, age: number): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat !== undefined && stat.mtimeMs < Date.now() - age;
}

/** The owner after whom a file was named. */
export function ownerIn(fileName: string | undefined): ProcessIdentity | undefined {
  return parseIdentity(fileName?.slice(0, fileName.lastIndexOf(",")) ?? "");
}

const heldErrnos: ReadonlySet<string> = new Set(["ENOTEMPTY", "EEXIST", "ENOTDIR"]);

/** The error that there is a lock, from the one that says so. */
export function asExisting(error: unknown): Error {
  return Object.assign(new Error("the lock is held", { cause: error }), { code: "EEXIST" });
}
