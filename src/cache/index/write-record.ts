import { join } from "node:path";
import { fromSystemError } from "../../errors.js";
import { ignoring } from "../../host/ignoring.js";
import { removeTree } from "../../host/remove-tree.js";
import { writeJsonAtomically } from "../../host/write-json.js";
import type { CacheLayout } from "../layout.js";
import { ownedName } from "../locks/owned-name.js";

export interface RecordOptions {
  /**
   * The cache where it is to be seen at once: a new file is then anybody's to remove when its writer
   * dies. Not needed in a work directory, which goes as a whole.
   */
  readonly layout?: CacheLayout | undefined;
  /** Whether it is to outlast a loss of power. Default: false. */
  readonly flush?: boolean | undefined;
}

/**
 * Writes one of the cache's JSON files so that readers see the old one or the new one.
 * @throws StageError NO_SPACE, NOT_WRITABLE, PERMISSION, naming the file
 */
export function writeRecord(
  path: string,
  record: object,
  { layout, flush }: RecordOptions = {},
): void {
  const temporary = layout && join(layout.tmp, ownedName());
  const write = () => writeJsonAtomically(path, record, { flush, temporary });
  try {
    // A directory in its place is nobody's, and does not give way by itself.
    if (!ignoring(["EISDIR"], write)) {
      removeTree(path);
      write();
    }
  } catch (error) {
    throw fromSystemError(error, `write ${path}`);
  }
}
