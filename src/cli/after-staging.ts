import { StageError } from "../errors.js";
import { printable } from "../host/byte-string.js";
import { keepInBounds } from "../stage/gc/keep-in-bounds.js";
import type { StageResult } from "../stage/result.js";
import { interruptible } from "./interruption.js";
import type { OptionValues } from "./options.js";
import { writeMessage } from "./output.js";
import { settingsOptions } from "./settings-options.js";

/**
 * Keeps the cache within the bounds that the configuration has for it, when an image was staged
 * anew. To be called when the result is out: whatever fails here is a warning.
 */
export async function tidyUp({ hit }: StageResult, values: OptionValues): Promise<void> {
  if (hit) return;
  try {
    const report = await interruptible((signal) => {
      return keepInBounds({ ...settingsOptions(values), signal });
    });
    if (report && values.metrics !== undefined) {
      const { recordGc } = await import("./record-metrics.js");
      await recordGc(report, values);
    }
    if (report && report.unmet.length > 0) {
      warn("the cache stays above its low_watermark, for all that is left is in use", values);
    }
  } catch (error) {
    if (!(error instanceof StageError)) throw error;
    warn(`the cache could not be cleared up: ${error.message}`, values);
  }
}

function warn(message: string, { quiet }: OptionValues): void {
  if (!quiet) writeMessage(`stage-rootfs: warning: ${printable(message)}`);
}
