import { existsSync, renameSync, unlinkSync } from "node:fs";
import { fromSystemError } from "../../errors.js";
import { lstatIfAny } from "../../host/lstat-if-any.js";
import { makeMovable } from "../../host/make-movable.js";
import { removeTree } from "../../host/remove-tree.js";
import { entryFile } from "../entry.js";
import type { CacheLayout } from "../layout.js";
import { type LeaseMoment, livingLeases } from "../leases/lease-life.js";
import { removeLeases } from "../leases/leases.js";
import { hide, showAgain } from "../leases/leaving.js";
import { type RemovalWait, withLock } from "../locks/with-lock.js";
import { entryLock } from "../rootfs-store.js";
import { asidePlace } from "../work-directory.js";

export interface RemoveEntryOptions extends RemovalWait, LeaseMoment {
  /** Whether to remove it under living leases too. Default: false. */
  readonly force?: boolean | undefined;
}

export type EntryRemoval = "removed" | "leased" | "missing" | "busy";

/**
 * Removes an entry that nobody has a lease on. New readers miss it from the moment when its mark is
 * hidden; whoever took a lease before finds it as it was, at every moment.
 * What stands in an entry's place and is no directory, a link for one, goes itself.
 * @returns `leased`, where it stays; `busy`, where somebody makes or changes it
 * @throws StageError NOT_WRITABLE, NO_SPACE, PERMISSION; what `signal` was aborted with
 */
export async function removeEntry(
  layout: CacheLayout,
  key: string,
  options: RemoveEntryOptions,
): Promise<EntryRemoval> {
  const isFree = () => options.force === true || livingLeases(layout, key, options).length === 0;
  const path = layout.entry(key);
  try {
    const stat = lstatIfAny(path);
    if (!stat) return "missing";
    // Spares an entry that is in use the disturbance, and those who look at it a moment's absence.
    if ((!stat.isDirectory() || existsSync(entryFile(path))) && !isFree()) return "leased";
    let aside: string | undefined;
    const work = () => {
      if (unlinkImpostor(path)) {
        removeLeases(layout, key);
        return "removed";
      }
      aside = moveAside(layout, key, isFree);
      if (aside === undefined) return existsSync(path) ? "leased" : "missing";
      return "removed";
    };
    const outcome = await withLock(layout.lock(entryLock(key)), { ...options, work });
    // This takes long, and needs no lock.
    if (aside !== undefined) removeTree(aside);
    return outcome;
  } catch (error) {
    throw fromSystemError(error, `remove ${path}`);
  }
}

/** @returns whether there was something that is no directory, and so neither entry nor layer */
export function unlinkImpostor(path: string): boolean {
  if (lstatIfAny(path)?.isDirectory() ?? true) return false;
  unlinkSync(path);
  return true;
}

/** @returns where it is now; undefined where it has to stay, or there is none */
function moveAside(layout: CacheLayout, key: string, isFree: () => boolean): string | undefined {
  const path = layout.entry(key);
  const mark = entryFile(path);
  if (!existsSync(path)) return undefined;
  makeMovable(path);
  showAgain(mark);
  hide(mark);
  if (!isFree()) {
    showAgain(mark);
    return undefined;
  }
  const aside = asidePlace(layout);
  renameSync(path, aside);
  removeLeases(layout, key);
  return aside;
}
