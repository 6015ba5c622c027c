import type { Warning } from "../extract/layer-record.js";
import type { StageEvent } from "../stage/result.js";
import { describeEvent, waitPatience } from "./event-text.js";
import { writeMessage } from "./output.js";
import type { ProgressWish } from "./staging-options.js";

/** How a staging shows on stderr; undefined for not at all. */
export function progressReporter(wish: ProgressWish): ((event: StageEvent) => void) | undefined {
  if (wish === "none") return undefined;
  if (wish === "json") return (event) => writeMessage(JSON.stringify(event));
  return wish === "plain" || process.stderr.isTTY ? reportPlainly : longWaitReporter();
}

function reportPlainly(event: StageEvent): void {
  writeMessage(describeEvent(event));
}

/** Without a terminal, only that it waits, and only when it does for long: a job may be stuck. */
function longWaitReporter(): (event: StageEvent) => void {
  let timer: NodeJS.Timeout | undefined;
  return (event) => {
    clearTimeout(timer);
    if (event.type === "waiting") timer = setTimeout(reportPlainly, waitPatience, event).unref();
  };
}

/** Says on stderr what was left out or changed. */
export function reportWarnings(warnings: readonly Warning[]): void {
  for (const { message, count, examples } of warnings) {
    if (examples.length === 0) {
      writeMessage(`stage-rootfs: warning: ${message}`);
      continue;
    }
    const shown = examples.slice(0, 3).join(", ");
    const more = count > 3 ? ", ..." : "";
    writeMessage(`stage-rootfs: warning: ${message} (${count}: ${shown}${more})`);
  }
}
