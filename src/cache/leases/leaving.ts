import { existsSync, renameSync } from "node:fs";
import { ignoring } from "../../host/ignoring.js";

/** The name that a mark of completeness has while its directory is about to be removed. */
export function leavingFile(mark: string): string {
  return `${mark}.leaving`;
}

/**
 * Hides what a mark of completeness stands for from new readers.
 * @returns false where there is no such mark
 */
export function hide(mark: string): boolean {
  return ignoring(["ENOENT", "ENOTDIR"], () => renameSync(mark, leavingFile(mark)));
}

/**
 * Shows again what was hidden and not removed, by this process or one that was killed. Only under
 * the lock that removing takes: without it, somebody may be about to remove it.
 */
export function showAgain(mark: string): void {
  const hidden = leavingFile(mark);
  if (existsSync(hidden) && !existsSync(mark)) renameSync(hidden, mark);
}
