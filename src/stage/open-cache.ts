import { CacheLayout } from "../cache/layout.js";
import { chooseCacheDirectory } from "../cache/location.js";
import { checkTrust } from "../cache/trust.js";

export interface CacheOptions {
  /** Default: as for staging. */
  readonly cacheDir?: string | undefined;
}

/** A cache to look at or to change. */
export interface OpenCache {
  readonly directory: string;
  readonly layout: CacheLayout;
  /** Whether there is one. */
  readonly exists: boolean;
}

/**
 * The cache that options mean, which need not exist; it is not made.
 * @throws StageError CACHE_UNTRUSTED, PERMISSION
 */
export function openCache({ cacheDir }: CacheOptions): OpenCache {
  const uid = process.geteuid?.() ?? 0;
  const directory = chooseCacheDirectory({ option: cacheDir, env: process.env, uid });
  const exists = checkTrust({ cacheDirectory: directory, uid }) !== "missing";
  return { directory, layout: new CacheLayout(directory), exists };
}
