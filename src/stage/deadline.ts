import { lockOwner } from "../cache/locks/lock-directory.js";
import { StageError } from "../errors.js";
import { printable } from "../host/byte-string.js";
import { now } from "../host/clock.js";
import type { StageRequest } from "./request.js";
import type { StageEvent } from "./result.js";
import { forerunnerLock, sourceIdentity } from "./sources/known-source.js";
import { waitingEvent } from "./waiting-event.js";

/** What Node's timers can count, in milliseconds: 24 days. */
const longestTimer = 2 ** 31 - 1;

/**
 * Does work on a request within its deadline.
 * @throws StageError BUSY when time is up, saying how far it came; what the work throws
 */
export async function withinDeadline<Value>(
  request: StageRequest,
  work: (request: StageRequest) => Promise<Value>,
): Promise<Value> {
  const { options } = request;
  const left = timeLeft(request);
  if (left === undefined) return await work(request);
  let reached = request.waitedMs > 0 ? forerunnersEvent(request) : undefined;
  if (left <= 0) throw timeIsUp(request, reached);
  const stop = new AbortController();
  const timer = setTimeout(
    () => stop.abort(timeIsUp(request, reached)),
    Math.min(left, longestTimer),
  );
  const onEvent = (event: StageEvent) => {
    // Whose own layers are under way need not tell of those that others are at.
    if (event.type !== "waiting" || reached?.type !== "layer") reached = event;
    options.onEvent?.(event);
  };
  const signal = AbortSignal.any([stop.signal, ...(options.signal ? [options.signal] : [])]);
  try {
    return await work({ ...request, options: { ...options, signal, onEvent } });
  } finally {
    clearTimeout(timer);
  }
}

/** How long a request may still take, in milliseconds; undefined for as long as it takes. */
export function timeLeft({ endsAt }: Pick<StageRequest, "endsAt">): number | undefined {
  return endsAt === undefined ? undefined : endsAt - now();
}

/** How far another process is that stages the same. */
function forerunnersEvent(request: StageRequest): StageEvent | undefined {
  const source = sourceIdentity(request);
  const owner = source && lockOwner(forerunnerLock(request, source));
  return owner && waitingEvent(request.layout, { what: "the image", owner, waitedMs: 0 });
}

function timeIsUp({ image, options }: StageRequest, reached: StageEvent | undefined): StageError {
  const message = `${printable(image)} was not ready within ${options.deadline} s`;
  return new StageError("BUSY", `${message}${howFar(reached)}`, {
    hint: "what was finished stays, and the next try goes on from there: try again, or allow more with --deadline SECONDS",
  });
}

function howFar(event: StageEvent | undefined): string {
  if (event?.type === "assembling") return ": its layers were, and were being put together";
  if (event?.type === "layer") return `: ${layersOf(event.layers)} were`;
  if (event?.type !== "waiting" || event.pid === null) return "";
  const who = `process ${event.pid} on ${event.host}`;
  return event.layers ? `: ${layersOf(event.layers)} were, in ${who}` : `: ${who} is at it`;
}

function layersOf({ finished, total }: { finished: number; total: number }): string {
  return `${finished} of ${total} layers`;
}
