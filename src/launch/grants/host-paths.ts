import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { errnoOf, fromSystemError, StageError } from "../../errors.js";
import { printable } from "../../host/byte-string.js";
import { isWithin } from "../../host/is-within.js";
import { checkMountTarget } from "../../mountpoints/requests.js";
import type { Bind } from "../bind.js";

/** What a configuration's target shows of the host. */
export interface HostPaths {
  /** Whether all directories at the top are meant that the image does not have itself. */
  readonly all: boolean;
  readonly paths: readonly string[];
}

export interface FoundHostPath extends Bind {
  readonly kind: "dir" | "file";
  /** Whether it is only for images that have nothing there. */
  readonly isOptional: boolean;
}

const nixStore = "/nix/store";

/** What a sandbox has of its own, and what is looked at by itself. */
const notShown = new Set(["proc", "dev", "sys", "tmp", "run", "nix", "lost+found"]);

/**
 * The paths of the impure mode, each at the same place inside: read-write, but for Nix's store.
 * @param options.file the configuration, for messages
 * @param options.root where the host's files are; default: `/`
 * @throws StageError CONFIG for a path that is not there
 */
export function hostPathBinds(
  { all, paths }: HostPaths,
  { file, root = "/" }: { file: string | undefined; root?: string },
): readonly FoundHostPath[] {
  const listed = paths.map((path) => listedPath(path, { file, root }));
  const tops = all ? topDirectories(root) : [];
  const others = tops.filter((target) => listed.every((each) => each.target !== target));
  return [
    ...others.map((target) => pathAt(root, { target, kind: "dir", isOptional: true })),
    ...listed,
  ];
}

function pathAt(
  root: string,
  { target, kind, isOptional }: Pick<FoundHostPath, "target" | "kind" | "isOptional">,
): FoundHostPath {
  const access = isWithin(target, nixStore) ? "ro" : "rw";
  return { source: join(root, target), target, access, kind, isOptional };
}

function listedPath(
  path: string,
  { file, root }: { file: string | undefined; root: string },
): FoundHostPath {
  const place = file === undefined ? "mount_paths" : `mount_paths of ${file}`;
  try {
    const kind = statSync(join(root, path)).isDirectory() ? "dir" : "file";
    return pathAt(root, { target: checkMountTarget(path), kind, isOptional: false });
  } catch (error) {
    const reason = fromSystemError(error, `mount ${printable(path)}`);
    if (!(reason instanceof StageError)) throw error;
    throw new StageError("CONFIG", printable(`${place}: ${reason.message}`), {
      hint: "take it off the list, or have it on this node",
      cause: error,
    });
  }
}

/** The directories right below the root that this user may enter. */
function topDirectories(root: string): readonly string[] {
  const names = readdirSync(root).filter((name) => !notShown.has(name));
  const tops = names.sort().map((name) => `/${name}`);
  return [...tops, nixStore].filter((path) => isOpenDirectory(join(root, path)));
}

function isOpenDirectory(path: string): boolean {
  try {
    return statSync(`${path}/.`).isDirectory();
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return false;
  }
}
