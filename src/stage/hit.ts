import { existsSync, readdirSync } from "node:fs";
import { readEntry } from "../cache/entry.js";
import { checkTrust } from "../cache/location.js";
import { now } from "../host/clock.js";
import { coversRequests } from "../mountpoints/coverage.js";
import { lookUpSource, sourceIdentity } from "./known-source.js";
import { makeResult } from "./make-result.js";
import { keyOf, mountRequestsOf, type StageRequest } from "./request.js";
import type { StageResult } from "./result.js";
import { isStagedImage } from "./staged-image.js";

/** The result where the archive is known, and its rootfs has all mount points. */
export function findHit(request: StageRequest): StageResult | undefined {
  const { cacheDirectory, layout, uid } = request;
  if (!checkTrust(cacheDirectory, uid)) return undefined;
  const summary = lookUpSource(request, sourceIdentity(request));
  if (!summary) return undefined;
  const key = keyOf(request, summary);
  const entry = readEntry(layout, { key, isDetails: isStagedImage });
  if (!entry) return undefined;
  const requests = mountRequestsOf(request, entry.details.config);
  if (!coversRequests(entry.details.mountPoints, requests)) return undefined;
  const resolveMs = now() - request.startedAt;
  const timings = { resolveMs, fetchMs: 0, extractMs: 0, assembleMs: 0, waitMs: 0 };
  const unpacked = new Set<string>();
  return makeResult(request, { summary, entry, requests, hit: true, unpacked, timings });
}

/** Whether somebody works in the cache, or left something behind. Mostly nobody does. */
export function isAnythingUnderWay({ layout }: StageRequest): boolean {
  return existsSync(layout.tmp) && readdirSync(layout.tmp).length > 0;
}
