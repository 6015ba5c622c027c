import { StageError } from "../errors.js";
import type { OptionValues } from "./options.js";

/**
 * Goes to `/` when the working directory has been deleted under us, which Node's threads can't start
 * in. What is named by absolute paths then works as ever.
 * @param paths those of the command line that may be relative
 * @throws StageError NOT_FOUND for relative paths: they mean nothing any more
 */
export function leaveDeletedDirectory(paths: readonly (string | undefined)[]): void {
  if (isThere()) return;
  const relative = paths.find((path) => path !== undefined && !/^(?:[a-z-]+:)?\/|^-$/.test(path));
  if (relative !== undefined) {
    throw new StageError(
      "NOT_FOUND",
      `the working directory is gone, so "${relative}" is nowhere`,
      {
        hint: "give absolute paths, or cd to a directory that exists",
      },
    );
  }
  process.chdir("/");
}

/** The paths by which a command line and its environment name the cache and the configuration. */
export function pathOptions(values: OptionValues): readonly (string | undefined)[] {
  const { STAGE_ROOTFS_CACHE_DIR: cache, STAGE_ROOTFS_CONFIG: config } = process.env;
  return [values["cache-dir"], values.config, cache, config];
}

/** The relative paths among those that a command line has the sandbox see, as they were given. */
export function mountedPaths(values: OptionValues): readonly string[] {
  const { bind = [], "ro-bind": readOnly = [], input = [], output } = values;
  const given = [...bind, ...readOnly, ...input, ...(output === undefined ? [] : [output])];
  // Else `data:/in` would be taken for a reference with an absolute path.
  return given.filter((path) => !path.startsWith("/")).map((path) => `./${path}`);
}

function isThere(): boolean {
  try {
    process.cwd();
    return true;
  } catch {
    return false;
  }
}
