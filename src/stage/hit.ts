import { readEntry } from "../cache/entry.js";
import { checkTrust } from "../cache/place/trust.js";
import { now } from "../host/clock.js";
import type { ImageSummary } from "../oci/image.js";
import { isComplete } from "./is-complete.js";
import { leaseEntry } from "./lease-entry.js";
import { makeResult } from "./make-result.js";
import { keyOf, mountRequestsOf, type StageRequest } from "./request.js";
import type { StageResult } from "./result.js";
import { lookUpSource, sourceIdentity } from "./sources/known-source.js";
import { isStagedImage } from "./staged-image.js";

/**
 * The result where the archive is known, and its rootfs has all mount points.
 * @param waitMs how long another process was waited for, in milliseconds
 */
export function findHit(
  request: StageRequest,
  { waitMs = request.waitedMs }: { waitMs?: number } = {},
): StageResult | undefined {
  const standing = checkTrust(request);
  if (standing === "missing") return undefined;
  const summary = lookUpSource(request, sourceIdentity(request));
  return summary && hitOf(request, summary, { waitMs, isForeign: standing === "foreign" });
}

/** The result where the rootfs of a known image stands, with all mount points. */
export function hitOf(
  request: StageRequest,
  summary: ImageSummary,
  { waitMs, isForeign }: { waitMs: number; isForeign: boolean },
): StageResult | undefined {
  const { layout } = request;
  const key = keyOf(request, summary);
  const lease = leaseEntry(request, key);
  const entry = lease && readEntry(layout, { key, isDetails: isStagedImage });
  if (!entry) return undefined;
  const requests = mountRequestsOf(request, entry.details.config);
  if (!isComplete(entry.details, requests, { isForeign })) return undefined;
  const resolveMs = now() - request.startedAt - waitMs;
  const timings = { resolveMs, fetchMs: 0, extractMs: 0, assembleMs: 0, waitMs };
  const unpacked = new Set<string>();
  return makeResult(request, { summary, entry, requests, hit: true, unpacked, lease, timings });
}
