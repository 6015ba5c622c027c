import { lstatSync, opendirSync } from "node:fs";
import { errnoOf } from "../../errors.js";

/** What has more in it than this is no mere place to mount on. */
const most = 1000;

/**
 * Whether a directory holds nothing but empty directories and empty files, as mount points are: then
 * an image says nothing by it.
 */
export function isHollow(directory: string): boolean {
  const pending = [directory];
  let seen = 0;
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    for (const { path, isDirectory } of entriesOf(next)) {
      if (++seen > most) return false;
      if (isDirectory) pending.push(path);
      else if (!isEmptyFile(path)) return false;
    }
  }
  return true;
}

function* entriesOf(directory: string): Generator<{ path: string; isDirectory: boolean }> {
  const handle = opendirSync(directory);
  try {
    for (let entry = handle.readSync(); entry; entry = handle.readSync()) {
      yield { path: `${directory}/${entry.name}`, isDirectory: entry.isDirectory() };
    }
  } finally {
    handle.closeSync();
  }
}

function isEmptyFile(path: string): boolean {
  try {
    const stat = lstatSync(path);
    return stat.isFile() && stat.size === 0;
  } catch (error) {
    // A name that is no UTF-8 is none of a mount point's.
    if (errnoOf(error) === undefined) throw error;
    return false;
  }
}
