import { readdirSync } from "node:fs";
import { join } from "node:path";
import { errnoOf, fromSystemError } from "../errors.js";
import { removeTree } from "../host/remove-tree.js";
import type { CacheLayout } from "./layout.js";
import { removeDeadLock } from "./lock-directory.js";
import { isAbandoned } from "./work-directory.js";

/** Removes what dead processes left behind; in a cache that is read-only it stays. */
export function sweep(layout: CacheLayout): void {
  for (const name of namesIn(layout.tmp)) {
    if (isAbandoned(layout, name)) tolerating(() => removeTree(join(layout.tmp, name)));
  }
  for (const name of namesIn(layout.locks)) tolerating(() => removeDeadLock(layout.lock(name)));
}

/** Another process may be at the same work. */
function tolerating(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!["EROFS", "ENOENT", "ENOTEMPTY"].includes(errnoOf(error) ?? "")) throw error;
  }
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    // There is no cache yet.
    if (errnoOf(error) === "ENOENT") return [];
    throw fromSystemError(error, `read ${directory}`);
  }
}
