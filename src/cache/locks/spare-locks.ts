import { existsSync, renameSync } from "node:fs";
import { dirname, join } from "node:path";
import { errnoOf } from "../../errors.js";
import { ignoring } from "../../host/ignoring.js";
import { asExisting, dissolveLock, isHeld, namesIn, placeLock } from "./lock-directory.js";
import { ownedName } from "./owned-name.js";

/**
 * On a disk that is full to its last block or inode no lock can be made, and without locks nothing
 * could be removed that would make room. So a cache keeps a few that were made beforehand, for
 * renaming takes no room. They lie among the locks and belong to nobody. Their names are long because
 * XFS keeps short directories within their inodes: with a few such names the directory has a block
 * of its own already, and does not ask for one when it is too late.
 */
const spareNames = [1, 2, 3, 4].map((number) => `${"spare".padEnd(120, "-")}${number}`);

/** What a spare lock holds instead of a file that is named after its owner. */
const nobody = "spare";

/** Makes the spare locks that a cache lacks. Where that can't be, it does without. */
export function keepSpareLocks(locks: string): void {
  for (const name of spareNames) {
    const path = join(locks, name);
    if (existsSync(path)) continue;
    ignoring(["ENOSPC", "EDQUOT", "EROFS", "EACCES", "EPERM", "ENOENT", "EEXIST"], () => {
      placeLock(path, { maker: ownedName(), holds: nobody });
    });
  }
}

/** Whether an error says that a disk, or a quota on it, is used up. */
export function isFull(error: unknown): boolean {
  const errno = errnoOf(error);
  return errno === "ENOSPC" || errno === "EDQUOT";
}

/**
 * Takes a lock as `takeLock` does, but with a spare one.
 * @returns false where none is left
 * @throws an error with the code EEXIST when the lock is held; errors of the file system
 */
export function takeSpareLock(path: string, owner: string): boolean {
  const made = join(dirname(path), owner);
  for (const name of spareNames) {
    const spare = join(dirname(path), name);
    if (!ignoring(["ENOENT", "ENOTDIR"], () => renameSync(spare, made))) continue;
    const [file] = namesIn(made) ?? [];
    if (file === undefined) {
      dissolveLock(made, undefined);
      continue;
    }
    try {
      renameSync(join(made, file), join(made, owner));
      renameSync(made, path);
      return true;
    } catch (error) {
      giveBackSpareLock(made, owner);
      throw isHeld(error) ? asExisting(error) : error;
    }
  }
  return false;
}

/** Gives up a lock of `owner` that was a spare one, and keeps it for the next time. */
export function giveBackSpareLock(path: string, owner: string): void {
  if (!namesIn(path)?.includes(owner)) return;
  for (const name of spareNames) {
    const spare = join(dirname(path), name);
    if (!ignoring(["EEXIST", "ENOTEMPTY", "ENOENT"], () => renameSync(path, spare))) continue;
    // Somebody may have taken it already.
    ignoring(["ENOENT"], () => renameSync(join(spare, owner), join(spare, nobody)));
    return;
  }
  dissolveLock(path, owner);
}
