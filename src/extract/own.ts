import { fchownSync, lchownSync } from "node:fs";
import { errnoOf, StageError } from "../errors.js";

/**
 * Gives a file, directory or link its owner; links are not followed.
 * @throws StageError PERMISSION for an owner that does not exist here, and errors of system calls
 */
export function own(
  target: number | string | Buffer,
  { uid, gid }: { uid: number; gid: number },
): void {
  try {
    if (typeof target === "number") fchownSync(target, uid, gid);
    else lchownSync(target, uid, gid);
  } catch (error) {
    if (errnoOf(error) !== "EINVAL") throw error;
    throw new StageError("PERMISSION", `there is no user ${uid}:${gid} in this user namespace`, {
      hint: "leave the owners out with --owner squash",
      cause: error,
    });
  }
}
