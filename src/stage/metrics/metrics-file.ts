import { readFileSync, rmSync } from "node:fs";
import { withLock } from "../../cache/locks/with-lock.js";
import { fromSystemError, StageError } from "../../errors.js";
import { printable } from "../../host/byte-string.js";
import { lstatIfAny } from "../../host/lstat-if-any.js";
import { replaceFile } from "../../host/replace-file.js";
import { addMeasurements, formatSamples, parseSamples } from "./exposition.js";
import type { Measurement } from "./measurement.js";

/** How long to wait for others that add to the same file, in seconds. */
const patience = 10;

/** No file of metrics is larger, in bytes. */
const largest = 1 << 20;

export interface MetricsOutcome {
  /** Lines that could not be read: what they counted begins anew. */
  readonly damaged: number;
}

/**
 * Adds measurements to a file for the textfile collector of Prometheus's node_exporter. Readers see
 * the old file or the new one; processes that add to it at the same time take turns, by a lock
 * beside it (`FILE.lock`).
 * @throws StageError BUSY when the others take too long; CONFIG for a file that is another
 * program's; NOT_WRITABLE, NO_SPACE, PERMISSION
 */
export async function addToMetricsFile(
  path: string,
  measurements: readonly Measurement[],
): Promise<MetricsOutcome> {
  if (measurements.length === 0) return { damaged: 0 };
  try {
    const work = () => add(path, measurements);
    const outcome = await withLock(`${path}.lock`, { wait: patience, work });
    if (outcome !== "busy") return outcome;
  } catch (error) {
    throw fromSystemError(error, `write metrics to ${printable(path)}`);
  }
  throw new StageError("BUSY", `other processes write to ${printable(path)} for ${patience} s`, {
    hint: "nothing is added to the metrics",
  });
}

function add(path: string, measurements: readonly Measurement[]): MetricsOutcome {
  const parsed = readSamples(path);
  const samples = addMeasurements(parsed.samples, measurements);
  // Under the lock it is nobody's but that of a process which was killed.
  const temporary = `${path}.new`;
  rmSync(temporary, { force: true });
  replaceFile({ path, content: formatSamples(samples) }, { temporary });
  return { damaged: parsed.damaged };
}

function readSamples(path: string) {
  const nothing = { samples: new Map<string, number>(), damaged: 0 };
  const stat = lstatIfAny(path);
  if (!stat) return nothing;
  const isLikely = stat.isFile() && stat.size <= largest;
  const text = isLikely ? readFileSync(path, "utf8") : undefined;
  if (text === "") return nothing;
  const parsed = text === undefined ? undefined : parseSamples(text);
  if (parsed) return parsed;
  throw new StageError(
    "CONFIG",
    `${printable(path)} is no file of metrics that stage-rootfs keeps`,
    {
      hint: "it is left alone: remove it, or name another with --metrics",
    },
  );
}
