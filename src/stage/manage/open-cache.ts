import { CacheLayout } from "../../cache/layout.js";
import { checkTrust } from "../../cache/place/trust.js";
import { type SettingsOptions, settingsOf } from "../settings.js";

/** Which cache is meant, as for staging. */
export type CacheOptions = SettingsOptions;

/** A cache to look at or to change. */
export interface OpenCache {
  readonly directory: string;
  readonly layout: CacheLayout;
  /** Whether there is one. */
  readonly exists: boolean;
}

/**
 * The cache that options mean, which need not exist; it is not made.
 * @throws StageError CONFIG, CACHE_UNTRUSTED, PERMISSION
 */
export function openCache(options: CacheOptions): OpenCache {
  const { cacheDirectory: directory, uid } = settingsOf(options);
  const { trustOwners: trustedOwners } = options;
  const exists = checkTrust({ cacheDirectory: directory, uid, trustedOwners }) !== "missing";
  return { directory, layout: new CacheLayout(directory), exists };
}
