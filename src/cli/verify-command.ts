import { StageError } from "../errors.js";
import { printable } from "../host/byte-string.js";
import type { Verification, VerifyEvent } from "../stage/verify/result.js";
import { verifyCache } from "../stage/verify/verify.js";
import { afterStop, interruptible } from "./interruption.js";
import { type CommandLine, numberOption, type OptionValues } from "./options.js";
import { writeMessage, writeResult } from "./output.js";
import { settingsOptions } from "./settings-options.js";
import { progressOption } from "./staging-options.js";
import { verificationText } from "./verification-text.js";
import { leaveDeletedDirectory, pathOptions } from "./working-directory.js";

/** `stage-rootfs verify`: what differs in the cache, line by line or as JSON. */
export async function verifyCommand({ values, words, rest }: CommandLine): Promise<number> {
  if (rest?.length || (words.length === 0 && !values.all)) {
    throw new StageError("USAGE", "verify what?", {
      hint: "name images, keys or paths of the cache, or say --all",
    });
  }
  if (values.all && words.length > 0) {
    throw new StageError("USAGE", "--all goes without names", {
      hint: "usage: stage-rootfs verify IMAGE|KEY|PATH..., or stage-rootfs verify --all",
    });
  }
  leaveDeletedDirectory([...words, ...pathOptions(values)]);
  const wish = progressOption(values);
  const isHeard = wish === "plain" || wish === "json" || (wish === "auto" && process.stderr.isTTY);
  const work = (signal: AbortSignal) => {
    return verifyCache({
      images: words,
      all: values.all,
      sample: sampleOption(values),
      seed: numberOption(values, "seed"),
      ...settingsOptions(values),
      repair: values.repair,
      jobs: numberOption(values, "jobs"),
      wait: numberOption(values, "wait"),
      signal,
      onEvent: (event) => {
        if (!isHeard || values.quiet) return;
        if (wish === "json") writeMessage(JSON.stringify(event));
        else writeMessage(`stage-rootfs: ${describe(event)}`);
      },
    });
  };
  const found = await interruptible(work, values.repair ? { hint: afterStop.repair } : {});
  await writeResult(values.json ? `${JSON.stringify(found)}\n` : verificationText(found));
  if (found.intact || found.repaired) return 0;
  throw damaged(found);
}

function describe(event: VerifyEvent): string {
  if (event.type === "checking") return `checking ${event.in} ${event.name}`;
  return `staging ${printable(event.source)} again`;
}

function damaged({ findings, failures, entries }: Verification): StageError {
  const count = entries.filter(({ state }) => state === "damaged").length;
  const what = `${findings.length} ${findings.length === 1 ? "difference" : "differences"}`;
  if (failures.length > 0) {
    const failed = `${failures.length} ${failures.length === 1 ? "repair" : "repairs"} failed`;
    return new StageError("CACHE_DAMAGED", `the cache is damaged: ${what}, ${failed}`, {
      hint: "mend what the lines above name as failed, and try again",
    });
  }
  const isLeft = entries.some(({ repair }) => repair !== null);
  return new StageError("CACHE_DAMAGED", `the cache is damaged: ${what}, ${count} entries`, {
    hint: isLeft
      ? "what is in use was left: try again when its leases are over (stage-rootfs ls --leases)"
      : "--repair removes what is damaged and stages it again",
  });
}

/** @throws StageError USAGE */
function sampleOption({ sample }: OptionValues): number | undefined {
  if (sample === undefined) return undefined;
  const [, digits] = /^(\d{1,3}(?:\.\d{1,6})?)%?$/.exec(sample) ?? [];
  const percent = Number(digits);
  if (percent > 0 && percent <= 100) return percent;
  throw new StageError("USAGE", `--sample takes a percentage, not "${printable(sample)}"`, {
    hint: "for instance --sample 5%",
  });
}
