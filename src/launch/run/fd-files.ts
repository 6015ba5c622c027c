import { closeSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { join } from "node:path";
import { errnoOf, fromSystemError } from "../../errors.js";
import { temporaryDirectory } from "../../host/temporary-directory.js";
import { writeAll } from "../../host/write-all.js";
import type { FdContent } from "../launch-command.js";

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
  return temporaryDirectory();
}

/** What a command reads from descriptors, open for a process that is to be spawned. */
export interface OpenContents {
  /** For `stdio`, each at its descriptor; the others are left to the caller. */
  readonly stdio: readonly (number | undefined)[];
  readonly close: () => void;
}

/** @throws StageError as {@link openContent} */
export function openContents(fds: readonly FdContent[]): OpenContents {
  const stdio: (number | undefined)[] = [];
  const close = () => {
    for (const file of stdio) if (file !== undefined) closeSync(file);
  };
  try {
    for (const { fd, content } of fds) stdio[fd] = openContent(content);
  } catch (error) {
    close();
    throw error;
  }
  return { stdio, close };
}
