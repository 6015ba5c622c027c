import { chooseTarget } from "../config/choose-target.js";
import { runtimeNames } from "../launch/runtime.js";
import { settingsOf } from "../stage/settings.js";
import { findingsOf } from "./doctor-findings.js";
import { doctorJson, doctorReport, doctorStatus } from "./doctor-report.js";
import { doctorText } from "./doctor-text.js";
import type { CommandLine } from "./options.js";
import { writeResult } from "./output.js";
import { runtimeWish } from "./runtime-option.js";
import { settingsOptions } from "./settings-options.js";
import { allowedDisks } from "./staging-options.js";
import { leaveDeletedDirectory, pathOptions } from "./working-directory.js";

/** `stage-rootfs doctor`: what this node can do, and what to do about what it can't. */
export async function doctorCommand({ values }: CommandLine): Promise<number> {
  leaveDeletedDirectory(pathOptions(values));
  const settings = settingsOptions(values);
  const target = chooseTarget(settingsOf(settings).configuration(), values.target);
  const { candidates = runtimeNames } = runtimeWish(values, target);
  const report = await doctorReport({
    ...settings,
    allowDisks: allowedDisks(values),
    runtimes: candidates,
  });
  const findings = findingsOf(report);
  await writeResult(
    values.json
      ? `${JSON.stringify(doctorJson(report))}\n`
      : doctorText(values.quiet ? findings.filter(({ mark }) => mark === "no") : findings),
  );
  return doctorStatus(report);
}
