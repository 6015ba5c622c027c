import type { WaitingEvent } from "../../src/stage/waiting-event.js";

/** An event of a wait, as it may be. */
export function waitingFor(changes: Partial<WaitingEvent> = {}): WaitingEvent {
  return {
    type: "waiting",
    what: "the image",
    pid: 7,
    host: "n1",
    job: null,
    elapsedMs: null,
    layers: null,
    waitedMs: 0,
    ...changes,
  };
}
