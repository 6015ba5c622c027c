import type { FollowOptions } from "../stage/follow.js";
import { describeEvent, waitPatience } from "./event-text.js";
import type { OptionValues } from "./options.js";
import { progressOption } from "./staging-options.js";
import { writeAtOnce } from "./write-at-once.js";

const stderr = 2;

/**
 * Says on stderr once, as `--progress` asks for, that this process waits for another: where a log is
 * written, only when it does for long.
 */
export function waitReporter(values: OptionValues): FollowOptions["onWait"] {
  const wish = values.quiet ? "none" : progressOption(values);
  let isSaid = wish === "none";
  return (event, waitedMs) => {
    if (isSaid || (wish === "auto" && waitedMs < waitPatience)) return;
    isSaid = true;
    writeAtOnce(`${wish === "json" ? JSON.stringify(event) : describeEvent(event)}\n`, stderr);
  };
}
