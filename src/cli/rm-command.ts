import { StageError } from "../errors.js";
import { printable } from "../host/byte-string.js";
import { removalError, removeImages } from "../stage/manage/remove-images.js";
import { afterStop, interruptible } from "./interruption.js";
import { type CommandLine, numberOption } from "./options.js";
import { writeMessage, writeResult } from "./output.js";
import { settingsOptions } from "./settings-options.js";
import { waitReporter } from "./wait-reporter.js";
import { leaveDeletedDirectory, pathOptions } from "./working-directory.js";

/** `stage-rootfs rm IMAGE|KEY|PATH...`: prints the keys of the entries that are gone. */
export async function rmCommand({ values, words }: CommandLine): Promise<number> {
  if ((values.all ?? false) === words.length > 0) {
    throw new StageError("USAGE", values.all ? "--all goes without names" : "no image was named", {
      hint: "usage: stage-rootfs rm IMAGE|KEY|PATH..., or stage-rootfs rm --all",
    });
  }
  leaveDeletedDirectory([...words, ...pathOptions(values)]);
  const work = (signal: AbortSignal) => {
    return removeImages({
      ...settingsOptions(values),
      images: values.all ? undefined : words,
      force: values.force,
      wait: numberOption(values, "wait"),
      signal,
      onEvent: waitReporter(values),
    });
  };
  const report = await interruptible(work, { hint: afterStop.removal });
  const keys = report.removed.map((key) => `${key}\n`).join("");
  await writeResult(values.json ? `${JSON.stringify(report)}\n` : keys);
  for (const { error } of values.json ? [] : report.failures.slice(1)) {
    writeMessage(`stage-rootfs: ${printable(error.message)}`);
  }
  const error = removalError(report);
  if (error) throw error;
  return 0;
}
