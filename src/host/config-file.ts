import { readdirSync } from "node:fs";
import { errnoOf, fromSystemError, StageError } from "../errors.js";
import { printable } from "./byte-string.js";
import { FileRefused, readWholeFile } from "./read-whole-file.js";

/** The largest file of configuration, or of certificates, that is read, in bytes: 4 MiB. */
const longestConfig = 4 * 1024 * 1024;

/**
 * A configuration file as text; undefined where there is no such file.
 * @throws StageError CONFIG where it can't be read, is no regular file, is too large or is
 * not UTF-8
 */
export function readConfigFile(path: string): string | undefined {
  const bytes = unlessMissing(path, () => readWholeFile(path, longestConfig));
  if (bytes === undefined) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new StageError("CONFIG", `${printable(path)} is not UTF-8`, {
      hint: "save the file as UTF-8",
      cause: error,
    });
  }
}

/**
 * The names in a directory of configuration, sorted; undefined where there is no such directory.
 * @throws StageError CONFIG where it can't be listed
 */
export function listConfigDirectory(path: string): readonly string[] | undefined {
  return unlessMissing(path, () => readdirSync(path).sort());
}

function unlessMissing<Value>(path: string, read: () => Value): Value | undefined {
  try {
    return read();
  } catch (error) {
    const errno = errnoOf(error);
    if (error instanceof FileRefused) throw refused(path, error);
    if (errno === "ENOENT" || errno === "ENOTDIR") return undefined;
    const known = fromSystemError(error, `read ${printable(path)}`);
    const why = known instanceof StageError ? known.message : `cannot read ${printable(path)}`;
    throw new StageError("CONFIG", why, { hint: "mend or remove it", cause: error });
  }
}

function refused(path: string, cause: FileRefused): StageError {
  return new StageError("CONFIG", `cannot read ${printable(path)}: it ${cause.message}`, {
    hint: "mend or remove it, or have an ordinary file in its place",
    cause,
  });
}
