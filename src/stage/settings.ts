import { chooseCacheDirectory } from "../cache/place/location.js";
import { chooseTarget, localPath } from "../config/choose-target.js";
import type { Configuration } from "../config/configuration.js";
import { readConfiguration } from "../config/read-configuration.js";

/** Options that say which cache and which configuration are meant. */
export interface SettingsOptions {
  /**
   * Default: `$STAGE_ROOTFS_CACHE_DIR`, else what the configuration says, else a directory of the
   * user's below /var.
   */
  readonly cacheDir?: string | undefined;
  /**
   * The configuration file. Default: `$STAGE_ROOTFS_CONFIG`, else the user's
   * `~/.config/stage-rootfs/config.toml`, else `/etc/stage-rootfs/config.toml`.
   */
  readonly config?: string | undefined;
  /** Which of the configuration's targets is meant. Default: its `target`, or its only one. */
  readonly target?: string | undefined;
  /** User IDs of others, beside root's, whose shared caches are trusted. Default: none. */
  readonly trustOwners?: readonly number[] | undefined;
}

/** What follows from {@link SettingsOptions}. */
export interface Settings {
  readonly cacheDirectory: string;
  readonly uid: number;
  /** Reads the configuration when it is asked for first. @throws StageError CONFIG */
  readonly configuration: () => Configuration;
}

/**
 * Which cache is meant. A configuration is only read where it decides that, or was named.
 * @throws StageError CONFIG
 */
export function settingsOf(options: SettingsOptions): Settings {
  const uid = process.geteuid?.() ?? 0;
  const { env } = process;
  let found: Configuration | undefined;
  const configuration = () => {
    found ??= readConfiguration({ option: options.config, env });
    return found;
  };
  // What was named has to be there, even if nothing depends on it.
  if (options.config) configuration();
  if (options.target) chooseTarget(configuration(), options.target);
  const configured = () => localPath(configuration(), options.target);
  const cacheDirectory = chooseCacheDirectory({ option: options.cacheDir, env, uid, configured });
  return { cacheDirectory, uid, configuration };
}
