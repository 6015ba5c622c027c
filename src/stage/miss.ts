import { resolve } from "node:path";
import { rememberFile } from "../cache/index/remember-file.js";
import { isForerunner } from "../cache/locks/forerunner.js";
import { prepareCache } from "../cache/place/location.js";
import { checkTrust } from "../cache/place/trust.js";
import { sweep } from "../cache/removal/sweep.js";
import { StageError } from "../errors.js";
import { now } from "../host/clock.js";
import type { ImageSummary } from "../oci/image.js";
import { makeResult } from "./make-result.js";
import { cacheName, type StageRequest } from "./request.js";
import type { StageResult } from "./result.js";
import { roomMaker } from "./room/make-room.js";
import { findShared } from "./shared-cache.js";
import { ImageOpener } from "./sources/image-opener.js";
import { forerunnerLock, type SourceIdentity, sourceIdentity } from "./sources/known-source.js";
import { type ResolvedSource, resolveSource } from "./sources/resolve-source.js";
import { StagingWork } from "./staging-work.js";
import { ensureVariant } from "./variant.js";

/** Stages an image whose rootfs is not known to stand ready. */
export async function stageMiss(request: StageRequest): Promise<StageResult> {
  if (checkTrust(request) === "foreign") return await findShared(request);
  const opener = new ImageOpener(request);
  let resolved: ResolvedSource | undefined;
  const layerNames = () => resolved?.summary.layers.map((l) => cacheName(request, l.diffId)) ?? [];
  const maker = roomMaker(request, layerNames);
  const work = new StagingWork(request, opener, maker);
  try {
    if (goesAhead(request)) work.startThreads();
    resolved = await resolveSource(request, { opener, work });
    const { summary, source, isKnown } = resolved;
    const resolveMs = now() - request.startedAt - work.timings.waitMs;
    work.traced("resolve", { start: request.startedAt, details: { image: request.image } });
    await request.admit?.(request, { summary, opener });
    prepareCache(request);
    work.tellBegun();
    await maker.makeFirstRoom();
    const start = now();
    const { entry, requests, hit, lease } = await ensureVariant(request, { summary, work, opener });
    work.traced("stage", { start, details: { key: entry.key } });
    if (source && !isKnown) remember(request, { source, summary, hit });
    const timings = { ...work.timings, resolveMs };
    return makeResult(request, {
      summary,
      entry,
      requests,
      hit,
      unpacked: work.unpacked,
      fetched: work.fetched,
      warnings: work.warnings,
      lease,
      timings,
    });
  } finally {
    await work.close();
    await opener.close();
    await resolved?.release();
    // Last, because ext4 is slow to make files for a while after many were deleted.
    sweep(request.layout);
  }
}

/** Whether there is certainly something to unpack, and nobody else at it. */
function goesAhead(request: StageRequest): boolean {
  const source = sourceIdentity(request);
  return source !== undefined && isForerunner(forerunnerLock(request, source));
}

/** Spares the next staging a look into the archive. Of a cache that is read-only a hit is a hit. */
function remember(
  { layout, options }: StageRequest,
  found: { source: SourceIdentity; summary: ImageSummary; hit: boolean },
): void {
  const { source, summary, hit } = found;
  try {
    const flush = options.fsync !== false;
    rememberFile(layout, { ...source, known: summary, path: fileOf(source), flush });
  } catch (error) {
    if (!(hit && error instanceof StageError && error.code === "NOT_WRITABLE")) throw error;
  }
}

/** The file by which a source is known again. */
function fileOf({ kind, path }: SourceIdentity): string | undefined {
  if (kind === "registry") return undefined;
  return resolve(kind === "layout" ? `${path}/index.json` : path);
}
