import { now } from "../host/clock.js";
import type { WaitingEvent } from "../stage/waiting-event.js";

/** How long a wait for another process goes unmentioned in a log, in milliseconds. */
const patience = 5000;

/** How often a log is told of waits, in milliseconds. */
const reminder = 60_000;

/**
 * Decides which of the events of waits are worth a line.
 * @param atOnce whether somebody looks on: then whatever is new is; in a log only waits that are
 *   long, because a job may be stuck, and now and then how far they are
 */
export function waitNarrator({ atOnce }: { atOnce: boolean }): (event: WaitingEvent) => boolean {
  const told = new Set<string>();
  let lastTime = Number.NEGATIVE_INFINITY;
  return (event) => {
    if (atOnce) return told.size < told.add(newsOf(event)).size;
    if (event.waitedMs < patience || now() < lastTime + reminder) return false;
    lastTime = now();
    return true;
  };
}

/** What a reader learns of an event, but for how long it all takes. */
function newsOf({ what, pid, host, layers }: WaitingEvent): string {
  return JSON.stringify([pid, host, layers ?? what]);
}
