import { CacheLayout } from "../../cache/layout.js";
import { hasOwnCache } from "../../cache/place/trust.js";
import { StageError } from "../../errors.js";
import { diskSpace } from "../../host/disk-space.js";
import { bytesOfShare } from "../../host/quantity.js";
import { settingsOf } from "../settings.js";
import { collectGarbage } from "./collect-garbage.js";
import { takeInventory, totalOf } from "./gc-inventory.js";
import type { GcOptions, GcReport } from "./gc-options.js";

/** How much of the high watermark the low one is, unless the configuration says. */
const usualLow = 0.9;

/**
 * To be called when an image has been staged that was not in the cache: where the cache takes more
 * than the `high_watermark` of the configuration's `[cache]`, it shrinks to the `low_watermark`.
 * Where another garbage collection is under way, it leaves it at that.
 * @returns undefined where nothing was to be done
 * @throws as {@link collectGarbage}
 */
export async function keepInBounds(
  options: Pick<GcOptions, "cacheDir" | "config" | "target" | "signal" | "minAge"> = {},
): Promise<GcReport | undefined> {
  const { cacheDirectory, uid, configuration } = settingsOf(options);
  const { highWatermark, lowWatermark } = configuration().cache;
  if (!highWatermark || !hasOwnCache({ cacheDirectory, uid })) return undefined;
  const { total } = diskSpace(cacheDirectory);
  const high = bytesOfShare(highWatermark, total);
  if (sizeOfCache(cacheDirectory) <= high) return undefined;
  const low = lowWatermark ? bytesOfShare(lowWatermark, total) : Math.floor(high * usualLow);
  try {
    return await collectGarbage({ ...options, maxSize: Math.min(low, high), wait: 0 });
  } catch (error) {
    if (error instanceof StageError && error.code === "BUSY") return undefined;
    throw error;
  }
}

function sizeOfCache(cacheDirectory: string): number {
  const inventory = takeInventory(new CacheLayout(cacheDirectory), {
    now: Date.now(),
    minAge: 0,
    keysInUse: new Set(),
  });
  return totalOf(inventory).bytes;
}
