import { StageError } from "../errors.js";
import { printable } from "../host/byte-string.js";
import type { SettingsOptions } from "../stage/settings.js";
import type { OptionValues } from "./options.js";

/** Which cache and which configuration a command line means. @throws StageError USAGE */
export function settingsOptions(values: OptionValues): SettingsOptions {
  const { "cache-dir": cacheDir, config, target } = values;
  return { cacheDir, config, target, trustOwners: values["trust-owner"]?.map(userId) };
}

function userId(text: string): number {
  if (/^\d{1,10}$/.test(text)) return Number(text);
  throw new StageError("USAGE", `--trust-owner takes a user's number, not "${printable(text)}"`, {
    hint: "id -u NAME says it",
  });
}
