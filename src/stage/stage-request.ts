import { isAnythingAbandoned } from "../cache/removal/abandoned.js";
import { fromSystemError } from "../errors.js";
import { printable } from "../host/byte-string.js";
import { now } from "../host/clock.js";
import { withinDeadline } from "./deadline.js";
import { findHit } from "./hit.js";
import type { StageRequest } from "./request.js";
import type { StageResult } from "./result.js";

/** Stages what a request asks for. @throws as {@link stageRootfs} */
export async function stageRequest(request: StageRequest): Promise<StageResult> {
  const { image, options } = request;
  const hit = findHit(request);
  if (hit) {
    const { startedAt: start } = request;
    options.trace?.({ name: "resolve", start, end: now(), thread: 0, details: { image } });
  }
  if (hit && !isAnythingAbandoned(request.layout)) return hit;
  if (hit) {
    const { sweep } = await import("../cache/removal/sweep.js");
    sweep(request.layout);
    return hit;
  }
  // A hit needs nothing of what unpacking does, and must not pay for loading it.
  const { stageMiss } = await import("./miss.js");
  try {
    return await withinDeadline(request, stageMiss);
  } catch (error) {
    throw fromSystemError(error, `stage ${printable(image)}`);
  }
}
