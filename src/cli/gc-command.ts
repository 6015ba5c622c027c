import { StageError } from "../errors.js";
import { printable } from "../host/byte-string.js";
import { formatSize, parseDuration, parseShare } from "../host/quantity.js";
import { collectGarbage } from "../stage/gc/collect-garbage.js";
import type { GcOptions, GcReport } from "../stage/gc/gc-options.js";
import { gcText } from "./gc-text.js";
import { afterStop, interruptible } from "./interruption.js";
import {
  type CommandLine,
  numberOption,
  type OptionValues,
  sizeOption,
  type ValueOption,
} from "./options.js";
import { writeMessage, writeResult } from "./output.js";
import { settingsOptions } from "./settings-options.js";
import { leaveDeletedDirectory, pathOptions } from "./working-directory.js";

/** `stage-rootfs gc`: removes what nobody needs, and more to reach goals. */
export async function gcCommand({ values }: CommandLine): Promise<number> {
  leaveDeletedDirectory(pathOptions(values));
  const options = gcOptions(values);
  const work = async (signal: AbortSignal) => {
    const listJobs = values.slurm ? (await import("../fleet/slurm-jobs.js")).slurmJobs : undefined;
    return await collectGarbage({ ...options, listJobs, signal });
  };
  const report = await interruptible(work, { hint: afterStop.removal });
  if (values.metrics !== undefined) {
    const { recordGc } = await import("./record-metrics.js");
    await recordGc(report, values);
  }
  for (const warning of values.quiet ? [] : report.warnings) {
    writeMessage(`stage-rootfs: warning: ${printable(warning)}`);
  }
  await writeResult(values.json ? `${JSON.stringify(report)}\n` : gcText(report));
  if (report.unmet.length > 0) throw missed(report);
  return 0;
}

/** @throws StageError USAGE, CONFIG */
export function gcOptions(values: OptionValues): GcOptions {
  return {
    ...settingsOptions(values),
    dryRun: values["dry-run"],
    maxSize: sizeOption(values, "max-size"),
    minFree: parsedOption(values, { name: "min-free", parse: parseShare, such: "20G or 10%" }),
    maxAge: parsedOption(values, { name: "max-age", parse: parseDuration, such: "30d or 12h" }),
    minAge: parsedOption(values, { name: "min-age", parse: parseDuration, such: "10m or 1h" }),
    keepLast: numberOption(values, "keep-last"),
    wait: numberOption(values, "wait"),
  };
}

/** @throws StageError USAGE */
function parsedOption<Value>(
  values: OptionValues,
  option: { name: ValueOption; parse: (text: string) => Value | undefined; such: string },
): Value | undefined {
  const { name, parse, such } = option;
  const text = values[name];
  if (text === undefined) return undefined;
  const value = parse(text);
  if (value !== undefined) return value;
  throw new StageError(
    "USAGE",
    `--${name} takes a value such as ${such}, not "${printable(text)}"`,
  );
}

function missed({ unmet, stay }: GcReport): StageError {
  const goals = unmet.map(({ goal, wanted, reached }) => {
    return goal === "max-size"
      ? `the cache takes ${formatSize(reached)}, more than ${formatSize(wanted)}`
      : `${formatSize(reached)} could be freed of ${formatSize(wanted)}`;
  });
  const left =
    stay.length === 0
      ? "no entry is left that could go"
      : stay.length === 1
        ? "the entry that is left is in use, or to be kept"
        : `the ${stay.length} entries that are left are in use, or to be kept`;
  const isOthers = stay.length === 0 && unmet.some(({ goal }) => goal !== "max-size");
  const hint = isOthers
    ? "something else fills the disk"
    : stay.length === 0
      ? "layers that were used within the hour, or that a staging may need, stay: try again later"
      : "try again later";
  return new StageError("BUSY", `${goals.join("; ")}: ${left}`, { hint });
}
