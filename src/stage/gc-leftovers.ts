import { namesIn } from "../cache/abandoned.js";
import type { CacheLayout } from "../cache/layout.js";
import { isDeadLock } from "../cache/lock-directory.js";
import { sweep } from "../cache/sweep.js";
import { isAbandoned } from "../cache/work-directory.js";

/** Removes what dead processes have left. @returns how much that was */
export function removeLeftovers(layout: CacheLayout): number {
  const before = namesIn(layout.blobs);
  const abandoned = countLeftovers(layout);
  sweep(layout);
  const blobs = new Set(namesIn(layout.blobs));
  return abandoned + before.filter((name) => !blobs.has(name)).length;
}

/** How much dead processes have left, old blobs not counted. */
export function countLeftovers(layout: CacheLayout): number {
  const work = namesIn(layout.tmp).filter((name) => isAbandoned(layout, name));
  const locks = namesIn(layout.locks).filter((name) => isDeadLock(layout.lock(name)));
  return work.length + locks.length;
}
