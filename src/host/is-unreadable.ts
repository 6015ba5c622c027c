import { errnoOf } from "../errors.js";
import { FileRefused } from "./read-whole-file.js";

/** What stays so however often it is tried, unlike a limit of open files or of memory. */
const lasting: ReadonlySet<string | undefined> = new Set([
  "EACCES",
  "EPERM",
  "EISDIR",
  "ELOOP",
  "ENXIO",
  "ENODEV",
  "EIO",
  "EBADMSG",
  "EUCLEAN",
  "ESTALE",
]);

/** Whether reading a file failed, where there is one, for a reason of the file's or of the disk's. */
export function isUnreadable(error: unknown): boolean {
  return error instanceof FileRefused || lasting.has(errnoOf(error));
}
