import { closeSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { errnoOf, fromSystemError } from "../../errors.js";
import { writeAll } from "../../host/write-all.js";

/**
 * A descriptor that `content` can be read from, however long it is: of a file without a name, in
 * memory where the machine has a place for that. The caller closes it.
 * @throws StageError NO_SPACE and others where no file can be made
 */
export function openContent(content: Uint8Array): number {
  const directory = makeDirectory();
  try {
    const path = join(directory, "content");
    const written = openSync(path, "wx", 0o600);
    try {
      const opened = openSync(path, "r");
      rmSync(path);
      writeAll(written, Buffer.from(content));
      return opened;
    } finally {
      closeSync(written);
    }
  } catch (error) {
    throw fromSystemError(error, `keep the launch options in ${directory}`);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function makeDirectory(): string {
  try {
    return mkdtempSync("/dev/shm/stage-rootfs-");
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
  }
  try {
    return mkdtempSync(join(tmpdir(), "stage-rootfs-"));
  } catch (error) {
    throw fromSystemError(error, `make a directory in ${tmpdir()}`);
  }
}
