import { resolve } from "node:path";
import { StageError } from "../errors.js";
import { printable } from "../host/byte-string.js";
import { takeLowestPriority } from "../host/lowest-priority.js";
import type { WarmEvent } from "../stage/warm/warm-event.js";
import { warmImages } from "../stage/warm/warm-images.js";
import type { WarmOptions, WarmReport } from "../stage/warm/warm-options.js";
import { warmStatus } from "../stage/warm/warm-status.js";
import { tidyUp } from "./after-staging.js";
import { imagesOf } from "./image-list.js";
import { afterStop, interruptible } from "./interruption.js";
import { type CommandLine, numberOption, type OptionValues, sizeOption } from "./options.js";
import { unwritten, writeMessage } from "./output.js";
import { reportWarnings } from "./progress.js";
import { progressOption, stagingOptions } from "./staging-options.js";
import { readyLine, warmNarrator } from "./warm-text.js";
import { leaveDeletedDirectory, pathOptions } from "./working-directory.js";
import { writeAtOnce } from "./write-at-once.js";

/** `stage-rootfs warm IMAGE... [-f FILE]`: a line on stdout for each image that is ready. */
export async function warmCommand(line: CommandLine): Promise<number> {
  const { values, rest } = line;
  if (rest?.length) {
    throw new StageError("USAGE", "stage-rootfs warm runs nothing", {
      hint: "write stage-rootfs run IMAGE -- CMD...",
    });
  }
  const images = await imagesOf(line);
  leaveDeletedDirectory([...images, values.pack, values.from, ...pathOptions(values)]);
  if (values.pack !== undefined) {
    const { packImages } = await import("./pack-command.js");
    return await packImages(images, { directory: resolve(values.pack), values });
  }
  if (values.slurm) {
    return await (await import("./warm-fleet-command.js")).warmFleetCommand(images, values);
  }
  refuseFleetOptions(values);
  const options = warmOptions(values);
  if (values.nice) beNice(values);
  const report = await warm(images, { values, options });
  if (values.metrics !== undefined) {
    const { recordWarming } = await import("./record-metrics.js");
    await recordWarming(report, values);
  }
  const staged = report.images.flatMap((each) => (each.state === "staged" ? [each.result] : []));
  if (!values.quiet) {
    for (const { reference, warnings } of staged) reportWarnings(warnings, reference);
  }
  const [anyStaged] = staged;
  if (anyStaged) await tidyUp(anyStaged, values);
  return warmStatus(report.images);
}

/** @throws StageError USAGE for what means nothing on one node */
function refuseFleetOptions(values: OptionValues): void {
  const own = ["nodes", "partition", "fan-in", "start-within", "node-program"] as const;
  const names = [...own, "via", "share"] as const;
  const odd = names.find((name) => values[name] !== undefined);
  if (odd === undefined) return;
  throw new StageError("USAGE", `--${odd} is for many nodes`, { hint: "say --slurm too" });
}

function beNice({ quiet }: OptionValues): void {
  const reason = takeLowestPriority();
  if (reason === undefined || quiet) return;
  writeMessage(`stage-rootfs: warning: the disk is not left to others: ${printable(reason)}`);
}

async function warm(
  images: readonly string[],
  { values, options }: { readonly values: OptionValues; readonly options: WarmOptions },
): Promise<WarmReport> {
  const teller = eventTeller(values);
  const unheard = new AbortController();
  const onEvent = (event: WarmEvent) => {
    try {
      teller(event);
    } catch (error) {
      unheard.abort(unwritten(error));
    }
  };
  return await interruptible(
    async (stop) => {
      const signal = AbortSignal.any([stop, unheard.signal]);
      const report = await warmImages(images, { ...options, onEvent, signal });
      unheard.signal.throwIfAborted();
      return report;
    },
    { hint: afterStop.staging },
  );
}

/** @throws StageError USAGE */
function warmOptions(values: OptionValues): WarmOptions {
  return {
    ...stagingOptions({ ...values, lease: values.lease ?? "none" }),
    retry: numberOption(values, "retry"),
    budget: sizeOption(values, "budget"),
    from: values.from,
  };
}

/** Each event as a line of JSON on stdout, or what people want to know of it. */
function eventTeller(values: OptionValues): (event: WarmEvent) => void {
  if (values.json) return (event) => writeAtOnce(`${JSON.stringify(event)}\n`);
  const wish = values.quiet ? "none" : progressOption(values);
  const isShown = wish === "plain" || (wish === "auto" && process.stderr.isTTY);
  const describe = warmNarrator({ progress: isShown, quiet: values.quiet ?? false });
  return (event) => {
    const ready = readyLine(event);
    if (ready !== undefined) writeAtOnce(`${ready}\n`);
    if (wish === "json") writeMessage(JSON.stringify(event));
    const message = describe(event);
    if (message !== undefined) writeMessage(message);
  };
}
