import { readdirSync } from "node:fs";
import { errnoOf, fromSystemError } from "../../errors.js";
import type { CacheLayout } from "../layout.js";
import { isDeadLock } from "../locks/lock-directory.js";
import { isAbandoned } from "../work-directory.js";

/** Whether a dead process left something behind that a sweep removes. Mostly none did. */
export function isAnythingAbandoned(layout: CacheLayout): boolean {
  return (
    namesIn(layout.tmp).some((name) => isAbandoned(layout, name)) ||
    namesIn(layout.locks).some((name) => isDeadLock(layout.lock(name)))
  );
}

/**
 * The names in a directory of the cache; none where there is no cache yet, where it is somebody
 * else's to look after, or where something else has taken the directory's place.
 */
export function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === "ENOENT" || errno === "ENOTDIR" || errno === "EACCES") return [];
    throw fromSystemError(error, `read ${directory}`);
  }
}
