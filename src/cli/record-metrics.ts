import { StageError } from "../errors.js";
import { printable } from "../host/byte-string.js";
import type { GcReport } from "../stage/gc/gc-options.js";
import { cacheMeasurements } from "../stage/metrics/cache-measurements.js";
import {
  errorMeasurements,
  gcMeasurements,
  type Measurement,
  stagingMeasurements,
} from "../stage/metrics/measurement.js";
import { addToMetricsFile } from "../stage/metrics/metrics-file.js";
import type { StageResult } from "../stage/result.js";
import type { WarmReport } from "../stage/warm/warm-options.js";
import type { OptionValues } from "./options.js";
import { writeMessage } from "./output.js";
import { settingsOptions } from "./settings-options.js";

/** Adds a staging to the file of `--metrics`, and what the cache takes then. */
export async function recordStaging(result: StageResult, values: OptionValues): Promise<void> {
  await record(values, () => [
    ...stagingMeasurements(result),
    ...(result.hit ? [] : cacheMeasurements(settingsOptions(values))),
  ]);
}

/** Adds what became of a list of images to the file of `--metrics`; what was left out is nothing. */
export async function recordWarming(
  { images }: Pick<WarmReport, "images">,
  values: OptionValues,
): Promise<void> {
  await record(values, () => [
    ...images.flatMap((each) => {
      if ("result" in each) return stagingMeasurements(each.result);
      return each.state === "failed" ? errorMeasurements(each.error) : [];
    }),
    ...cacheMeasurements(settingsOptions(values)),
  ]);
}

/** Adds a garbage collection to the file of `--metrics`; a dry run is none. */
export async function recordGc(report: GcReport, values: OptionValues): Promise<void> {
  if (report.dryRun) return;
  await record(values, () => [
    ...gcMeasurements(report),
    ...cacheMeasurements(settingsOptions(values)),
  ]);
}

/** Adds a failure to the file of `--metrics`. */
export async function recordError(error: unknown, values: OptionValues): Promise<void> {
  await record(values, () => errorMeasurements(error));
}

/** What fails here is a warning: the work is done. */
async function record(
  { metrics, quiet }: OptionValues,
  measure: () => readonly Measurement[],
): Promise<void> {
  if (metrics === undefined) return;
  const warn = (text: string) => {
    if (!quiet) writeMessage(`stage-rootfs: warning: ${printable(text)}`);
  };
  try {
    const { damaged } = await addToMetricsFile(metrics, measure());
    if (damaged > 0) warn(`${damaged} lines of ${metrics} could not be read: they begin anew`);
  } catch (error) {
    if (!(error instanceof StageError)) throw error;
    const hint = error.hint === undefined ? "" : ` (${error.hint})`;
    warn(`no metrics were written: ${error.message}${hint}`);
  }
}
