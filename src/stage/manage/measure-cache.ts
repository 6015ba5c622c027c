import { type DiskUsage, measureDiskUsage } from "../../cache/removal/disk-usage.js";
import { entriesOf } from "../../cache/removal/inventory.js";
import { fromSystemError } from "../../errors.js";
import { layerNamesOf } from "../sources/layer-names.js";
import { isStagedImage } from "../staged-image.js";
import { type CacheOptions, openCache } from "./open-cache.js";

/** What a cache takes on disk. Keys are only ever added. */
export interface CacheMeasure extends DiskUsage {
  readonly schemaVersion: 1;
  readonly cache: string;
  /** Whether there is such a cache. */
  readonly exists: boolean;
}

export interface MeasureOptions extends CacheOptions {
  readonly signal?: AbortSignal | undefined;
}

/**
 * Measures what a cache takes on disk, file by file. No lock is taken and nobody waited for.
 * @throws StageError CACHE_UNTRUSTED, PERMISSION; what `signal` was aborted with
 */
export async function measureCache(options: MeasureOptions = {}): Promise<CacheMeasure> {
  const { directory, layout, exists } = openCache(options);
  const neededLayers = new Set<string>();
  try {
    for (const { key, details } of entriesOf(layout, { isDetails: isStagedImage })) {
      for (const name of layerNamesOf(key, details)) neededLayers.add(name);
    }
    const { signal } = options;
    const usage = await measureDiskUsage(directory, { layout, neededLayers, signal });
    return { schemaVersion: 1, cache: directory, exists, ...usage };
  } catch (error) {
    throw fromSystemError(error, `read the cache ${directory}`);
  }
}
