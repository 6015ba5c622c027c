import { chooseTarget } from "../config/choose-target.js";
import { settingsOf } from "../stage/settings.js";
import type { OptionValues } from "./options.js";
import { writeMessage } from "./output.js";

/**
 * Says on stderr which keys of the configuration's target a launch does not heed yet.
 * @throws StageError CONFIG
 */
export function warnOfUnheeded(values: OptionValues): void {
  const { "cache-dir": cacheDir, config, target } = values;
  const configuration = settingsOf({ cacheDir, config, target }).configuration();
  const unheeded = chooseTarget(configuration, target)?.unheeded ?? [];
  if (unheeded.length === 0 || values.quiet) return;
  const verb = unheeded.length === 1 ? "is" : "are";
  writeMessage(
    `stage-rootfs: warning: ${unheeded.join(", ")} of ${configuration.file} ${verb} not heeded by this version`,
  );
}
