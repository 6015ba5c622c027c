import { join, relative } from "node:path";
import { StageError } from "../errors.js";
import { printable } from "../host/byte-string.js";
import { type BindMount, isWithin } from "./mount.js";

/**
 * What keeps directories of the host from being written to although binds would show them writable:
 * each is mounted over itself once more, read-only, wherever it can be seen.
 * @throws StageError USAGE for a writable bind from within such a directory
 */
export function protectedMounts(
  binds: readonly BindMount[],
  directories: readonly string[],
): readonly BindMount[] {
  const writable = binds.filter(({ access }) => access === "rw");
  return writable.flatMap((bind) => directories.flatMap((each) => protectedFrom(bind, each)));
}

function protectedFrom({ source, target }: BindMount, directory: string): readonly BindMount[] {
  if (isWithin(source, directory)) {
    throw new StageError(
      "USAGE",
      `${printable(source)} is in the cache, which a sandbox may not write to`,
      { hint: "bind it read-only, with :ro" },
    );
  }
  if (!isWithin(directory, source)) return [];
  const place = join(target, relative(source, directory));
  return [{ type: "bind", source: directory, target: place, access: "ro" }];
}
