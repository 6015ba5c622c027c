import type { StageEvent } from "../stage/result.js";

/** How long a wait for another process goes unmentioned in a log, in milliseconds. */
export const waitPatience = 5000;

/** A line for people that tells of an event. */
export function describeEvent(event: StageEvent): string {
  switch (event.type) {
    case "layer":
      return `stage-rootfs: layer ${event.diffId.slice(0, 19)} ${event.state}`;
    case "assembling":
      return "stage-rootfs: putting the rootfs together";
    case "waiting": {
      const owner =
        event.pid === null ? "another process" : `process ${event.pid} on ${event.host}`;
      return `stage-rootfs: waiting for ${owner}, which is staging ${event.what}`;
    }
  }
}
