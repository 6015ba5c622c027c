import type { SettingsOptions } from "../stage/settings.js";
import type { OptionValues } from "./options.js";

/** Which cache and which configuration a command line means. */
export function settingsOptions(values: OptionValues): SettingsOptions {
  const { "cache-dir": cacheDir, config, target } = values;
  return { cacheDir, config, target };
}
