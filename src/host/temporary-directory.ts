import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromSystemError } from "../errors.js";

/**
 * Makes an empty directory of the caller's where temporary files belong, by `$TMPDIR`.
 * @throws StageError NO_SPACE, NOT_WRITABLE, PERMISSION, NOT_FOUND
 */
export function temporaryDirectory(): string {
  try {
    return mkdtempSync(join(tmpdir(), "stage-rootfs-"));
  } catch (error) {
    throw fromSystemError(error, `make a directory in ${tmpdir()}`);
  }
}
