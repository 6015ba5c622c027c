import { existsSync, readdirSync } from "node:fs";
import { readEntry } from "./cache/entry.js";
import { checkTrust } from "./cache/location.js";
import { fromSystemError } from "./errors.js";
import { printable } from "./host/byte-string.js";
import { coversRequests } from "./mountpoints/coverage.js";
import { lookUpSource, sourceIdentity } from "./stage/known-source.js";
import { makeResult } from "./stage/make-result.js";
import {
  checkRequest,
  keyOf,
  mountRequestsOf,
  type StageOptions,
  type StageRequest,
} from "./stage/request.js";
import type { StageResult } from "./stage/result.js";
import { isStagedImage } from "./stage/staged-image.js";

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
    if (isAnythingUnderWay(request)) await sweepCache(request);
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

/** Mostly nothing is, and then nothing more has to be loaded. */
function isAnythingUnderWay({ layout }: StageRequest): boolean {
  return existsSync(layout.tmp) && readdirSync(layout.tmp).length > 0;
}

async function sweepCache({ layout }: StageRequest): Promise<void> {
  const { sweep } = await import("./cache/sweep.js");
  sweep(layout);
}

/** The result where the archive is known, and its rootfs has all mount points. */
function findHit(request: StageRequest): StageResult | undefined {
  const { cacheDirectory, layout, uid } = request;
  if (!checkTrust(cacheDirectory, uid)) return undefined;
  const summary = lookUpSource(request, sourceIdentity(request));
  if (!summary) return undefined;
  const key = keyOf(request, summary);
  const entry = readEntry(layout, { key, isDetails: isStagedImage });
  if (!entry) return undefined;
  const requests = mountRequestsOf(request, entry.details.config);
  if (!coversRequests(entry.details.mountPoints, requests)) return undefined;
  const resolveMs = performance.now() - request.startedAt;
  const timings = { resolveMs, fetchMs: 0, extractMs: 0, assembleMs: 0, waitMs: 0 };
  const unpacked = new Set<string>();
  return makeResult(request, { summary, entry, requests, hit: true, unpacked, timings });
}
