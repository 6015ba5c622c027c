import type { CacheLayout } from "../cache/layout.js";
import { readStatus } from "../cache/locks/staging-status.js";
import { now } from "../host/clock.js";
import type { ProcessIdentity } from "../host/process-identity.js";
import type { StageEvent } from "./result.js";

export type WaitingEvent = StageEvent & { readonly type: "waiting" };

export interface Wait {
  /** What is waited for: `layer sha256:…`. */
  readonly what: string;
  /** Who is at it; undefined where that can't be told. */
  readonly owner: ProcessIdentity | undefined;
  readonly waitedMs: number;
}

/** Says whose staging is waited for, and how far it is. */
export function waitingEvent(layout: CacheLayout, { what, owner, waitedMs }: Wait): WaitingEvent {
  const status = owner && readStatus(layout, owner);
  return {
    type: "waiting",
    what,
    pid: owner?.pid ?? null,
    host: owner?.host ?? null,
    job: status?.job ?? null,
    elapsedMs: status ? Math.max(0, Math.round(now() - status.startedAt)) : null,
    layers: status && status.total > 0 ? { finished: status.finished, total: status.total } : null,
    waitedMs: Math.round(waitedMs),
  };
}
