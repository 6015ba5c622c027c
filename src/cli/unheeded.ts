import { chooseTarget } from "../config/choose-target.js";
import { settingsOf } from "../stage/settings.js";
import type { OptionValues } from "./options.js";
import { writeMessage } from "./output.js";
import { settingsOptions } from "./settings-options.js";

/**
 * Says on stderr which keys of the configuration's target a launch does not heed yet.
 * @throws StageError CONFIG
 */
export function warnOfUnheeded(values: OptionValues): void {
  const configuration = settingsOf(settingsOptions(values)).configuration();
  const unheeded = chooseTarget(configuration, values.target)?.unheeded ?? [];
  if (unheeded.length === 0 || values.quiet) return;
  const verb = unheeded.length === 1 ? "is" : "are";
  writeMessage(
    `stage-rootfs: warning: ${unheeded.join(", ")} of ${configuration.file} ${verb} not heeded by this version`,
  );
}
