import { errnoOf, fromSystemError } from "../errors.js";
import { isUnreadable } from "./is-unreadable.js";
import { readWholeFile } from "./read-whole-file.js";

/** The largest record that is read, in bytes: 64 MiB, far more than one of ours ever has. */
const longestRecord = 64 * 1024 * 1024;

/**
 * A JSON file of ours; undefined where it is missing, no JSON, which a torn write would leave, or
 * can't be read, as where something else has taken its place or the disk has lost it: it is to be
 * made again then, not to keep anybody from using the others.
 * @throws StageError BUSY where the limit of open files is reached
 */
export function readJsonIfAny(path: string): unknown {
  try {
    return JSON.parse(readWholeFile(path, longestRecord).toString("utf8"));
  } catch (error) {
    const errno = errnoOf(error);
    if (error instanceof SyntaxError || errno === "ENOENT" || errno === "ENOTDIR") return undefined;
    if (isUnreadable(error)) return undefined;
    throw fromSystemError(error, `read ${path}`);
  }
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
