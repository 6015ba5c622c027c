import { join } from "node:path";
import type { CacheLayout } from "../../cache/layout.js";
import { isDeadLock } from "../../cache/locks/lock-directory.js";
import { namesIn } from "../../cache/removal/abandoned.js";
import { sweep } from "../../cache/removal/sweep.js";
import { isAbandoned } from "../../cache/work-directory.js";
import { lstatIfAny } from "../../host/lstat-if-any.js";

/** Removes what dead processes have left. @returns how much of it is gone */
export function removeLeftovers(layout: CacheLayout): number {
  const before = [
    ...leftoversOf(layout),
    ...namesIn(layout.blobs).map((name) => layout.blob(name)),
  ];
  sweep(layout);
  return before.filter((path) => !lstatIfAny(path)).length;
}

/** How much dead processes have left, old blobs not counted. */
export function countLeftovers(layout: CacheLayout): number {
  return leftoversOf(layout).length;
}

function leftoversOf(layout: CacheLayout): readonly string[] {
  const work = namesIn(layout.tmp).filter((name) => isAbandoned(layout, name));
  const locks = namesIn(layout.locks).map((name) => layout.lock(name));
  return [...work.map((name) => join(layout.tmp, name)), ...locks.filter(isDeadLock)];
}
