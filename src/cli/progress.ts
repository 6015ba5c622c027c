import type { Warning } from "../extract/layer-record.js";
import { printable } from "../host/byte-string.js";
import type { StageEvent } from "../stage/result.js";
import { describeEvent } from "./event-text.js";
import { writeMessage } from "./output.js";
import type { ProgressWish } from "./staging-options.js";
import { waitNarrator } from "./wait-narrator.js";

/** How a staging shows on stderr; undefined for not at all. */
export function progressReporter(wish: ProgressWish): ((event: StageEvent) => void) | undefined {
  if (wish === "none") return undefined;
  const isLog = wish === "auto" && !process.stderr.isTTY;
  const isWorthALine = waitNarrator({ atOnce: !isLog });
  return (event) => {
    // In a log, only that it waits, and only when it does for long.
    const isSaid = event.type === "waiting" ? isWorthALine(event) : !isLog;
    if (isSaid) writeMessage(wish === "json" ? JSON.stringify(event) : describeEvent(event));
  };
}

/**
 * Says on stderr what was left out or changed.
 * @param image where it is one of several
 */
export function reportWarnings(warnings: readonly Warning[], image?: string): void {
  const of = image === undefined ? "" : `${printable(image)}: `;
  for (const { message, count, examples } of warnings) {
    if (examples.length === 0) {
      writeMessage(`stage-rootfs: warning: ${of}${message}`);
      continue;
    }
    const shown = examples.slice(0, 3).join(", ");
    const more = count > 3 ? ", ..." : "";
    writeMessage(`stage-rootfs: warning: ${of}${message} (${count}: ${shown}${more})`);
  }
}
