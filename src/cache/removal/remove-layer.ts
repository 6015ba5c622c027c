import { renameSync } from "node:fs";
import { join } from "node:path";
import { fromSystemError } from "../../errors.js";
import { lstatIfAny } from "../../host/lstat-if-any.js";
import { makeMovable } from "../../host/make-movable.js";
import { livenessOf } from "../../host/process-identity.js";
import { removeTree } from "../../host/remove-tree.js";
import { layerFile, layerLock } from "../layer-store.js";
import type { CacheLayout } from "../layout.js";
import { hide, leavingFile, showAgain } from "../leases/leaving.js";
import { ownerIn } from "../locks/lock-directory.js";
import { type RemovalWait, withLock } from "../locks/with-lock.js";
import { entryLock } from "../rootfs-store.js";
import { asidePlace } from "../work-directory.js";
import { namesIn } from "./abandoned.js";
import { unlinkImpostor } from "./remove-entry.js";

export interface RemoveLayerOptions extends RemovalWait {
  /** In milliseconds since 1970. */
  readonly now: number;
  /** Whether an entry has files of the layer; asked when nobody new can use it any more. */
  readonly isNeeded: () => boolean;
  /** How long after its last use it stays, in milliseconds. Default: {@link usualGrace}. */
  readonly grace?: number | undefined;
}

/** How long a layer that no entry needs waits for one, in milliseconds: an hour. */
export const usualGrace: number = 60 * 60 * 1000;

export type LayerRemoval = "removed" | "needed" | "fresh" | "missing" | "busy";

/**
 * Removes a layer that no entry needs. Who puts a rootfs together holds the lock of its entry, and
 * has dated the layer's last use since: so a layer stays that was used since the oldest staging
 * that is under way has begun.
 * @returns why it stays, unless `removed`
 * @throws StageError NOT_WRITABLE, NO_SPACE, PERMISSION; what `signal` was aborted with
 */
export async function removeLayer(
  layout: CacheLayout,
  name: string,
  options: RemoveLayerOptions,
): Promise<LayerRemoval> {
  const path = layout.layer(name);
  try {
    if (!lstatIfAny(path)) return "missing";
    let aside: string | undefined;
    const work = (): LayerRemoval => {
      const stat = lstatIfAny(path);
      if (!stat) return "missing";
      if (!stat.isDirectory()) {
        if (options.isNeeded()) return "needed";
        unlinkImpostor(path);
        return "removed";
      }
      makeMovable(path);
      const reason = hideUnlessUsed(layout, name, options);
      if (reason !== undefined) return reason;
      const place = asidePlace(layout);
      renameSync(path, place);
      aside = place;
      return "removed";
    };
    const outcome = await withLock(layout.lock(layerLock(name)), { ...options, work });
    // This takes long, and needs no lock.
    if (aside !== undefined) removeTree(aside);
    return outcome;
  } catch (error) {
    throw fromSystemError(error, `remove ${path}`);
  }
}

/** @returns undefined where it is hidden now; else why it is not */
function hideUnlessUsed(
  layout: CacheLayout,
  name: string,
  options: RemoveLayerOptions,
): "needed" | "fresh" | undefined {
  const mark = layerFile(layout, name);
  showAgain(mark);
  hide(mark);
  // The order counts: a staging ends by publishing an entry, and only then gives its lock up.
  const reason = isInUse(layout, leavingFile(mark), options)
    ? "fresh"
    : options.isNeeded()
      ? "needed"
      : undefined;
  if (reason !== undefined) showAgain(mark);
  return reason;
}

function isInUse(
  layout: CacheLayout,
  file: string,
  { now, grace = usualGrace }: RemoveLayerOptions,
): boolean {
  const lastUse = lstatIfAny(file)?.mtimeMs;
  // Without a mark it was never whole.
  if (lastUse === undefined) return false;
  if (Math.abs(now - lastUse) < grace) return true;
  return isUsedSince(lastUse, oldestStaging(layout));
}

/** Whether a layer may be in use by a staging, the oldest of which began at `start`. */
export function isUsedSince(lastUse: number, start: number | undefined): boolean {
  // Clocks are set now and then.
  return start !== undefined && lastUse >= start - usualGrace;
}

/**
 * When the oldest staging began that is under way, in milliseconds since 1970. The file that names
 * a lock's owner is made with the lock and stays as it is.
 */
export function oldestStaging(layout: CacheLayout): number | undefined {
  let oldest: number | undefined;
  for (const lock of namesIn(layout.locks)) {
    if (!lock.startsWith(entryLock(""))) continue;
    for (const ownerFile of namesIn(layout.lock(lock))) {
      const owner = ownerIn(ownerFile);
      if (!owner || livenessOf(owner) === "dead") continue;
      const path = join(layout.lock(lock), ownerFile);
      const start = lstatIfAny(path)?.mtimeMs;
      if (start !== undefined) oldest = Math.min(oldest ?? start, start);
    }
  }
  return oldest;
}
