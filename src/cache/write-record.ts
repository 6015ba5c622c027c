import { fromSystemError } from "../errors.js";
import { type WriteOptions, writeJsonAtomically } from "../host/write-json.js";

/**
 * Writes one of the cache's JSON files so that readers see the old one or the new one.
 * @throws StageError NO_SPACE, NOT_WRITABLE, PERMISSION, naming the file
 */
export function writeRecord(path: string, record: object, options?: WriteOptions): void {
  try {
    writeJsonAtomically(path, record, options);
  } catch (error) {
    throw fromSystemError(error, `write ${path}`);
  }
}
