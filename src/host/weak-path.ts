import { lstatSync, readlinkSync, type Stats } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";

/** A directory or link on the way to a path, by which somebody else could put another there. */
export interface Weakness {
  readonly path: string;
  readonly reason: string;
}

/** As many links as Linux follows. */
const mostLinks = 40;

/**
 * Looks whether anybody but root and the given users could replace a part of an absolute path: by
 * owning a directory or link on the way to it, or because a directory is writable for its group or
 * for all, without being sticky. The path's last component itself is not looked at, and what is
 * missing is left out.
 * @returns the first such part
 * @throws errors of the file system
 */
export function findWeakness(path: string, users: readonly number[]): Weakness | undefined {
  const owners = new Set([0, ...users]);
  let rest = componentsOf(dirname(path));
  let at = "/";
  let links = 0;
  for (;;) {
    const stat = lstatSync(at, { throwIfNoEntry: false });
    const reason = stat && reasonOf(stat, owners);
    if (!stat || reason !== undefined)
      return reason === undefined ? undefined : { path: at, reason };
    if (stat.isSymbolicLink()) {
      if (++links > mostLinks) return { path: at, reason: "is one of too many symbolic links" };
      const target = readlinkSync(at);
      rest = [...componentsOf(target), ...rest];
      at = isAbsolute(target) ? "/" : dirname(at);
      continue;
    }
    const [next, ...others] = rest;
    if (next === undefined) return undefined;
    rest = others;
    at = join(at, next);
  }
}

function componentsOf(path: string): string[] {
  return path.split("/").filter((name) => name !== "" && name !== ".");
}

const sticky = 0o1000;

function reasonOf(stat: Stats, owners: ReadonlySet<number>): string | undefined {
  if (!owners.has(stat.uid)) return `belongs to user ${stat.uid}`;
  if (!stat.isDirectory() || (stat.mode & sticky) !== 0) return undefined;
  if ((stat.mode & 0o002) !== 0) return "can be written to by everybody";
  return (stat.mode & 0o020) === 0 ? undefined : `can be written to by group ${stat.gid}`;
}
