import { prepareCache } from "../cache/location.js";
import { rememberFile } from "../cache/source-index.js";
import { sweepWorkDirectories } from "../cache/work-directory.js";
import type { ImageSummary } from "../oci/image.js";
import { ImageOpener } from "./image-opener.js";
import { lookUpSource, sourceIdentity } from "./known-source.js";
import { makeResult } from "./make-result.js";
import type { StageRequest } from "./request.js";
import type { StageResult } from "./result.js";
import { StagingWork } from "./staging-work.js";
import { ensureVariant } from "./variant.js";

/** Stages an image whose rootfs is not known to stand ready. */
export async function stageMiss(request: StageRequest): Promise<StageResult> {
  const { layout, cacheDirectory, uid } = request;
  prepareCache(cacheDirectory, uid);
  sweepWorkDirectories(layout);
  const source = sourceIdentity(request);
  const opener = new ImageOpener(request);
  const work = new StagingWork(request, opener);
  try {
    const known = lookUpSource(request, source);
    const summary = known ?? summaryOf(await opener.open());
    const resolveMs = performance.now() - request.startedAt;
    const { entry, requests, hit } = await ensureVariant(request, { summary, work, opener });
    if (source && !known) rememberFile(layout, { ...source, known: summary });
    const timings = { ...work.timings, resolveMs };
    return makeResult(request, { summary, entry, requests, hit, unpacked: work.unpacked, timings });
  } finally {
    await work.close();
    opener.close();
  }
}

function summaryOf({ imageId, manifestDigest, platform, layers }: ImageSummary): ImageSummary {
  const summaries = layers.map(({ diffId, digest, size }) => ({ diffId, digest, size }));
  return { imageId, manifestDigest, platform, layers: summaries };
}
