import type { FollowOptions } from "../stage/follow.js";
import { describeEvent } from "./event-text.js";
import type { OptionValues } from "./options.js";
import { progressOption } from "./staging-options.js";
import { waitNarrator } from "./wait-narrator.js";
import { writeAtOnce } from "./write-at-once.js";

const stderr = 2;

/**
 * Says on stderr, as `--progress` asks for, that this process waits for another, and how far that
 * one is.
 */
export function waitReporter(values: OptionValues): FollowOptions["onWait"] {
  const wish = values.quiet ? "none" : progressOption(values);
  const isWorthALine = waitNarrator({ atOnce: wish !== "auto" });
  return (event) => {
    if (wish === "none" || !isWorthALine(event)) return;
    writeAtOnce(`${wish === "json" ? JSON.stringify(event) : describeEvent(event)}\n`, stderr);
  };
}
