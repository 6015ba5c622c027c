import type { StageResult } from "../stage/result.js";
import { stageRootfs } from "../stage.js";
import { afterStop, interruptible } from "./interruption.js";
import type { CommandLine } from "./options.js";
import { progressReporter, reportWarnings } from "./progress.js";
import { progressOption, type StagingExtras, stagingOptions } from "./staging-options.js";
import { tracedTo } from "./trace-file.js";
import { leaveDeletedDirectory, pathOptions } from "./working-directory.js";

/** Stages the image of a command line, with its options, and says on stderr what is to be said. */
export async function stageFromLine(
  { values, words, waitedMs }: CommandLine,
  extras: StagingExtras = {},
): Promise<StageResult> {
  const [image = ""] = words;
  leaveDeletedDirectory([image, ...pathOptions(values)]);
  const wanted = progressOption(values);
  const options = {
    ...stagingOptions(values, extras),
    waitedMs,
    onEvent: values.quiet ? undefined : progressReporter(wanted),
  };
  const result = await tracedTo(values.trace, (trace) =>
    interruptible((signal) => stageRootfs(image, { ...options, trace, signal }), {
      hint: afterStop.staging,
    }),
  );
  if (values.metrics !== undefined) {
    const { recordStaging } = await import("./record-metrics.js");
    await recordStaging(result, values);
  }
  // Of a hit, everything was said when it was staged.
  if (!values.quiet && !result.hit) reportWarnings(result.warnings);
  return result;
}
