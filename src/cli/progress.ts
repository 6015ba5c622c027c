import type { Warning } from "../extract/layer-record.js";
import type { StageEvent } from "../stage/result.js";

/** How a staging shows on stderr; undefined for not at all. */
export function progressReporter(
  wanted: "auto" | "plain" | "json" | "none",
): ((event: StageEvent) => void) | undefined {
  switch (wanted) {
    case "json":
      return (event) => process.stderr.write(`${JSON.stringify(event)}\n`);
    case "plain":
      return reportPlainly;
    case "auto":
      return process.stderr.isTTY ? reportPlainly : undefined;
    default:
      return undefined;
  }
}

function reportPlainly(event: StageEvent): void {
  process.stderr.write(`stage-rootfs: ${describe(event)}\n`);
}

function describe(event: StageEvent): string {
  switch (event.type) {
    case "layer":
      return `layer ${event.diffId.slice(0, 19)} ${event.state}`;
    case "assembling":
      return "putting the rootfs together";
    case "waiting": {
      const owner =
        event.pid === null ? "another process" : `process ${event.pid} on ${event.host}`;
      return `waiting for ${owner}, which is staging ${event.what}`;
    }
  }
}

/** Says on stderr what was left out or changed. */
export function reportWarnings(warnings: readonly Warning[]): void {
  for (const { message, count, examples } of warnings) {
    const instance = examples.slice(0, 3).join(", ");
    process.stderr.write(
      `stage-rootfs: warning: ${message} (${count}: ${instance}${count > 3 ? ", ..." : ""})\n`,
    );
  }
}
