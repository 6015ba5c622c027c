import { readdirSync, readFileSync } from "node:fs";
import { errnoOf, fromSystemError, StageError } from "../errors.js";
import { printable } from "./byte-string.js";

/**
 * A configuration file as text; undefined where there is no such file.
 * @throws StageError CONFIG where it can't be read, or is not UTF-8
 */
export function readConfigFile(path: string): string | undefined {
  const bytes = unlessMissing(path, () => readFileSync(path));
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
    if (errno === "ENOENT" || errno === "ENOTDIR") return undefined;
    const known = fromSystemError(error, `read ${printable(path)}`);
    const reason = known instanceof StageError ? known.message : `cannot read ${printable(path)}`;
    const why = errno === "EISDIR" ? `${reason}: it is a directory` : reason;
    throw new StageError("CONFIG", why, { hint: "mend or remove it", cause: error });
  }
}
