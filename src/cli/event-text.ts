import type { StageEvent } from "../stage/result.js";
import type { WaitingEvent } from "../stage/waiting-event.js";

/** A line for people that tells of an event. */
export function describeEvent(event: StageEvent): string {
  switch (event.type) {
    case "layer":
      return `stage-rootfs: layer ${event.diffId.slice(0, 19)} ${event.state}`;
    case "assembling":
      return "stage-rootfs: putting the rootfs together";
    case "waiting":
      return `stage-rootfs: waiting for ${ownerText(event)}, which ${progressText(event)}`;
  }
}

function ownerText({ pid, host, job }: WaitingEvent): string {
  if (pid === null) return "another process";
  return `process ${pid} on ${host}${job === null ? "" : ` (job ${job})`}`;
}

function progressText({ what, layers, elapsedMs }: WaitingEvent): string {
  if (elapsedMs === null) return `is staging ${what}`;
  const seconds = Math.round(elapsedMs / 1000);
  if (!layers) return `has begun to stage ${what} ${seconds} s ago`;
  return `has staged ${layers.finished} of ${layers.total} layers in ${seconds} s`;
}
