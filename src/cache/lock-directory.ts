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
import { join } from "node:path";
import { errnoOf } from "../errors.js";
import {
  formatIdentity,
  livenessOf,
  ownIdentity,
  type ProcessIdentity,
  parseIdentity,
} from "../host/process-identity.js";
import { uniqueWord } from "../host/unique-word.js";

/** The name of the file by which this process owns a lock; another one each time. */
export function newOwner(): string {
  return `${formatIdentity(ownIdentity())},${uniqueWord()}`;
}

/**
 * Takes a lock. It is a directory that holds one file, named after its owner. It comes into being
 * with that file by one rename, and breaking it begins with unlinking the file of the owner that
 * was found dead. So there are never two owners: whoever is late to break a lock finds that name
 * gone, and a new owner's directory can't be removed because it isn't empty.
 * @param owner a {@link newOwner}
 * @throws an error with the code EEXIST when the lock is held; errors of the file system
 */
export function takeLock(path: string, owner: string): void {
  // Not named after the owner: with a layer's name before it, that could be too long a name.
  const made = `${path}.${uniqueWord()}`;
  mkdirSync(made, { mode: 0o700 });
  try {
    writeFileSync(join(made, owner), "", { flag: "wx" });
    renameSync(made, path);
  } catch (error) {
    rmSync(made, { recursive: true, force: true });
    throw errnoOf(error) === "ENOTEMPTY" ? asExisting(error) : error;
  }
}

/** Takes a lock's directory away from `owner`; from anybody else it is not taken. */
export function dissolveLock(path: string, owner: string | undefined): void {
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
  if (isDead) dissolveLock(path, fileName);
}

/** Whether a dead process holds the lock at `path`. */
export function isDeadLock(path: string): boolean {
  const owner = lockOwner(path);
  return owner !== undefined && livenessOf(owner) === "dead";
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

/** The owner after whom a file was named. */
export function ownerIn(fileName: string | undefined): ProcessIdentity | undefined {
  return parseIdentity(fileName?.slice(0, fileName.lastIndexOf(",")) ?? "");
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
