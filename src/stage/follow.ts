import { existsSync } from "node:fs";
import { findPlace } from "../cache/locks/forerunner.js";
import { callInterval, pauseAfter } from "../cache/locks/pauses.js";
import { prepareCache } from "../cache/place/location.js";
import { now } from "../host/clock.js";
import { pause } from "../host/pause.js";
import { timeLeft } from "./deadline.js";
import { findHit } from "./hit.js";
import type { StageRequest } from "./request.js";
import type { StageResult } from "./result.js";
import { forerunnerLock, sourceIdentity } from "./sources/known-source.js";
import { type WaitingEvent, waitingEvent } from "./waiting-event.js";

export interface FollowOptions {
  /** Called when it turns out that there is somebody to wait for, and then each second. */
  readonly onWait: (event: WaitingEvent) => void;
  /** Is given what ends this process's place ahead of the others, when it goes ahead. */
  readonly onAhead: (stepAside: () => void) => void;
}

/**
 * Has one of many processes that want the same archive or layout go ahead, and waits for it where
 * it is another one. This blocks the thread, so it is for a process that has nothing else to do.
 * @returns the hit that the other process has made; undefined when this one has to see for itself:
 *   it goes ahead, the other one has ended without making what this one asks for, or time is up
 * @throws StageError as {@link prepareCache}; errors of the file system
 */
export function followForerunner(
  request: StageRequest,
  { onWait, onAhead }: FollowOptions,
): StageResult | undefined {
  const source = sourceIdentity(request);
  if (!source) return undefined;
  prepareCache(request);
  const { name } = source.identity;
  const path = forerunnerLock(request, source);
  const record = request.layout.indexRecord(name);
  const start = now();
  const left = timeLeft(request) ?? Number.POSITIVE_INFINITY;
  let nextCall = 0;
  for (let round = 0; ; round++) {
    const place = findPlace(path, { goAhead: round === 0 });
    const waitMs = now() - start;
    // It has ended by itself: then there is the entry now, or a reason why there is none.
    if (!place) return findHit(request, { waitMs });
    if (place.kind === "ahead") onAhead(place.stepAside);
    if (place.kind !== "behind") return undefined;
    // Many wait, and each look costs all of them: one that can't find anything is spared.
    const hit = existsSync(record) ? findHit(request, { waitMs }) : undefined;
    if (hit) return hit;
    if (waitMs >= nextCall) {
      const { forerunner: owner } = place;
      onWait(waitingEvent(request.layout, { what: "the image", owner, waitedMs: waitMs }));
      nextCall = waitMs + callInterval;
    }
    if (waitMs >= left) return undefined;
    pause(Math.min(pauseAfter(round), left - waitMs));
  }
}
