import { prepareCache } from "../cache/location.js";
import { lockOrAdopt } from "../cache/lock.js";
import type { ImageSummary } from "../oci/image.js";
import type { ImageOpener } from "./image-opener.js";
import { lookUpSource, type SourceIdentity } from "./known-source.js";
import type { StageRequest } from "./request.js";
import type { StagingWork } from "./staging-work.js";

export interface ResolvedSource {
  readonly summary: ImageSummary;
  /** Whether the cache knew the archive already. */
  readonly isKnown: boolean;
  /** Lets other processes have the archive. */
  readonly release: () => Promise<void>;
}

export interface ResolveOptions {
  readonly source: SourceIdentity | undefined;
  readonly opener: ImageOpener;
  readonly work: StagingWork;
}

/**
 * Finds out which image a reference names. An archive that has to be spooled for that, because it is
 * compressed, is spooled by one process at a time; the others then know what it found.
 */
export async function resolveSource(
  request: StageRequest,
  { source, opener, work }: ResolveOptions,
): Promise<ResolvedSource> {
  const known = lookUpSource(request, source);
  if (known) return { summary: known, isKnown: true, release: nothing };
  if (!source || source.isLayout || !(await isSpooled(source.path))) {
    return { summary: summaryOf(await opener.open()), isKnown: false, release: nothing };
  }
  prepareCache(request.cacheDirectory, request.uid);
  const outcome = await lockOrAdopt(request.layout.lock(`archive-${source.identity.name}`), {
    ...work.waitOptions(`the archive ${source.path}`),
    what: `the archive ${source.path}`,
    adopt: () => lookUpSource(request, source),
  });
  work.timings.waitMs += outcome.waitedMs;
  if (outcome.kind === "adopted") {
    return { summary: outcome.value, isKnown: true, release: nothing };
  }
  const { release } = outcome;
  try {
    return { summary: summaryOf(await opener.open()), isKnown: false, release };
  } catch (error) {
    await release();
    throw error;
  }
}

async function isSpooled(path: string): Promise<boolean> {
  const { needsSpooling } = await import("../oci/open-image.js");
  return needsSpooling(path);
}

async function nothing(): Promise<void> {}

function summaryOf({ imageId, manifestDigest, platform, layers }: ImageSummary): ImageSummary {
  const summaries = layers.map(({ diffId, digest, size }) => ({ diffId, digest, size }));
  return { imageId, manifestDigest, platform, layers: summaries };
}
