import { errnoOf } from "../errors.js";

/** What is read of a process in /proc; undefined of one that has ended, or is not ours to look at. */
export function unlessHidden(read: () => string): string | undefined {
  try {
    return read();
  } catch (error) {
    const errno = errnoOf(error) ?? "";
    if (["ENOENT", "ESRCH", "EACCES", "EPERM", "EINVAL"].includes(errno)) return undefined;
    throw error;
  }
}
