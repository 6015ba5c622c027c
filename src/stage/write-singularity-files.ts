import { chmodSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fromSystemError } from "../errors.js";
import { makeOpenDirectory } from "../host/make-open-directory.js";
import type { RuntimeConfig } from "../oci/config.js";
import { emptySingularityDirectories, singularityFiles } from "./singularity-files.js";
import { singularityDirectory } from "./singularity-place.js";

/**
 * Puts the files for Apptainer beside a rootfs, readable by whoever may enter the entry. Each is
 * replaced at once, so that a sandbox that has them already keeps working.
 * @throws StageError NO_SPACE, NOT_WRITABLE, PERMISSION
 */
export function writeSingularityFiles(rootfs: string, config: RuntimeConfig): void {
  const directory = singularityDirectory(rootfs);
  try {
    makeOpenDirectory(directory);
    for (const name of emptySingularityDirectories) makeOpenDirectory(join(directory, name));
    for (const { path, content } of singularityFiles(config)) {
      const file = join(directory, path);
      makeOpenDirectory(dirname(file));
      writeFileSync(`${file}.new`, content);
      chmodSync(`${file}.new`, 0o755);
      renameSync(`${file}.new`, file);
    }
  } catch (error) {
    throw fromSystemError(error, `write ${directory}`);
  }
}
