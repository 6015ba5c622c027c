import { isAnythingAbandoned } from "./cache/removal/abandoned.js";
import { fromSystemError } from "./errors.js";
import { printable } from "./host/byte-string.js";
import { now } from "./host/clock.js";
import { findHit } from "./stage/hit.js";
import { checkRequest, type StageOptions } from "./stage/request.js";
import type { StageResult } from "./stage/result.js";

/**
 * Makes sure that an image stands unpacked in the cache, with the mount points that are asked for.
 * @param image a reference, as on the command line
 * @throws StageError with any code but SANDBOX; what `options.signal` was aborted with
 */
export async function stageRootfs(image: string, options: StageOptions = {}): Promise<StageResult> {
  options.signal?.throwIfAborted();
  const request = checkRequest(image, options);
  const hit = findHit(request);
  if (hit) {
    const { startedAt: start } = request;
    options.trace?.({ name: "resolve", start, end: now(), thread: 0, details: { image } });
  }
  if (hit && !isAnythingAbandoned(request.layout)) return hit;
  if (hit) {
    const { sweep } = await import("./cache/removal/sweep.js");
    sweep(request.layout);
    return hit;
  }
  // A hit needs nothing of what unpacking does, and must not pay for loading it.
  const { stageMiss } = await import("./stage/miss.js");
  try {
    return await stageMiss(request);
  } catch (error) {
    throw fromSystemError(error, `stage ${printable(image)}`);
  }
}
