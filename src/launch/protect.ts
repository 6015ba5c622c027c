import { join, relative } from "node:path";
import { StageError } from "../errors.js";
import { printable } from "../host/byte-string.js";
import { isWithin } from "../host/is-within.js";
import type { BindMount } from "./mount.js";

/** What may not be written to, and how it is known. */
export interface Protection {
  readonly directories: readonly string[];
  /** The name of a path of the host without links; default: the path itself. */
  readonly realPath?: ((path: string) => string) | undefined;
}

/**
 * What keeps directories of the host from being written to although binds would show them writable:
 * each is mounted over itself once more, read-only, wherever it can be seen.
 * @throws StageError USAGE for a writable bind from within such a directory
 */
export function protectedMounts(
  binds: readonly BindMount[],
  { directories, realPath = (path) => path }: Protection,
): readonly BindMount[] {
  const real = directories.map(realPath);
  const writable = binds.filter(({ access }) => access === "rw");
  return writable.flatMap((bind) => {
    const shown = realPath(bind.source);
    return real.flatMap((directory) => protectedFrom({ ...bind, shown }, directory));
  });
}

function protectedFrom(
  { source, shown, target }: BindMount & { readonly shown: string },
  directory: string,
): readonly BindMount[] {
  if (isWithin(shown, directory)) {
    throw new StageError(
      "USAGE",
      `${printable(source)} is in the cache, which a sandbox may not write to`,
      { hint: "bind it read-only, with :ro" },
    );
  }
  if (!isWithin(directory, shown)) return [];
  const place = join(target, relative(shown, directory));
  return [{ type: "bind", source: directory, target: place, access: "ro" }];
}
