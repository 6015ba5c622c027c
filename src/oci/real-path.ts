import { realpathSync } from "node:fs";
import { fromSystemError } from "../errors.js";
import { printable } from "../host/byte-string.js";

/** The name of a file without links. @throws StageError NOT_FOUND, PERMISSION */
export function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    throw fromSystemError(error, `read ${printable(path)}`);
  }
}
