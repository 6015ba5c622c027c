import { lstatSync } from "node:fs";
import { join } from "node:path";
import { errnoOf } from "../../errors.js";
import { removeTree } from "../../host/remove-tree.js";
import type { CacheLayout } from "../layout.js";
import { lockOwner, removeDeadLock } from "../locks/lock-directory.js";
import { isAbandoned } from "../work-directory.js";
import { namesIn } from "./abandoned.js";

/** Removes what dead processes left behind; in a cache that is read-only it stays. */
export function sweep(layout: CacheLayout): void {
  for (const name of namesIn(layout.tmp)) {
    if (isAbandoned(layout, name)) tolerating(() => removeTree(join(layout.tmp, name)));
  }
  for (const name of namesIn(layout.blobs)) tolerating(() => removeOldBlob(layout, name));
  for (const name of namesIn(layout.locks)) tolerating(() => removeDeadLock(layout.lock(name)));
}

/** How long what came of a blob waits for somebody to fetch the rest, in milliseconds: a week. */
const blobLifetime = 7 * 24 * 60 * 60 * 1000;

function removeOldBlob(layout: CacheLayout, name: string): void {
  const path = layout.blob(name);
  if (lockOwner(layout.lock(`blob-${name}`))) return;
  if (lstatSync(path).mtimeMs < Date.now() - blobLifetime) removeTree(path);
}

/**
 * Another process may be at the same work; and what can't be removed, such as a file that somebody
 * made immutable, must not keep all images from being staged. It stays, and `du` counts it.
 */
const tolerable: ReadonlySet<string | undefined> = new Set([
  ...["EROFS", "ENOENT", "ENOTEMPTY"],
  ...["EPERM", "EACCES", "EBUSY"],
]);

function tolerating(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!tolerable.has(errnoOf(error))) throw error;
  }
}
