import { rememberTag } from "../../cache/index/remember-tag.js";
import { lockOrAdopt } from "../../cache/locks/lock.js";
import { prepareCache } from "../../cache/place/location.js";
import { StageError } from "../../errors.js";
import type { ImageSummary } from "../../oci/image.js";
import type { StageRequest } from "../request.js";
import type { StagingWork } from "../staging-work.js";
import type { ImageOpener } from "./image-opener.js";
import {
  lookUpSource,
  registrySource,
  type SourceIdentity,
  sourceIdentity,
  tagOf,
} from "./known-source.js";

export interface ResolvedSource {
  readonly summary: ImageSummary;
  readonly source: SourceIdentity | undefined;
  /** Whether the cache knew the source already. */
  readonly isKnown: boolean;
  /** Lets other processes have the source. */
  readonly release: () => Promise<void>;
}

export interface ResolveOptions {
  readonly opener: ImageOpener;
  readonly work: StagingWork;
}

/**
 * Finds out which image a reference names. Where that takes spooling a compressed archive, or
 * requests to a registry, one process at a time does it; the others then know what it found.
 */
export async function resolveSource(
  request: StageRequest,
  { opener, work }: ResolveOptions,
): Promise<ResolvedSource> {
  const source = sourceIdentity(request) ?? (await lookUpTagNow(request, opener));
  if (source?.digest !== undefined) opener.takeFor(source.digest);
  const known = lookUpSource(request, source);
  if (known) return { summary: known, source, isKnown: true, release: nothing };
  if (!source || !(await isCostly(source))) {
    return { summary: summaryOf(await opener.open()), source, isKnown: false, release: nothing };
  }
  prepareCache(request);
  const what = source.kind === "registry" ? source.path : `the archive ${source.path}`;
  const outcome = await lockOrAdopt(request.layout.lock(`${source.kind}-${source.identity.name}`), {
    ...work.waitOptions(what),
    what,
    adopt: () => lookUpSource(request, source),
  });
  work.timings.waitMs += outcome.waitedMs;
  if (outcome.kind === "adopted") {
    return { summary: outcome.value, source, isKnown: true, release: nothing };
  }
  const { release } = outcome;
  work.tellBegun();
  try {
    return { summary: summaryOf(await opener.open()), source, isKnown: false, release };
  } catch (error) {
    await release();
    throw error;
  }
}

/** Asks the registry what a tag stands for, and remembers it. */
async function lookUpTagNow(
  request: StageRequest,
  opener: ImageOpener,
): Promise<SourceIdentity | undefined> {
  const { registry } = request.reference;
  if (!registry) return undefined;
  const digest = await opener.registryDigest();
  const tag = tagOf(request, registry);
  try {
    prepareCache(request);
    rememberTag(request.layout, { tag, digest, checkedAt: Date.now() });
  } catch (error) {
    // Of a cache that is full or read-only a hit is a hit, and of another image staging says why.
    if (!(error instanceof StageError && unwritable.has(error.code))) throw error;
  }
  return registrySource(request, digest);
}

const unwritable: ReadonlySet<string> = new Set(["NOT_WRITABLE", "NO_SPACE"]);

async function isCostly({ kind, path }: SourceIdentity): Promise<boolean> {
  if (kind === "registry") return true;
  if (kind === "layout") return false;
  const { needsSpooling } = await import("../../oci/open-image.js");
  return needsSpooling(path);
}

async function nothing(): Promise<void> {}

function summaryOf({ imageId, manifestDigest, platform, layers }: ImageSummary): ImageSummary {
  const summaries = layers.map(({ diffId, digest, size }) => ({ diffId, digest, size }));
  return { imageId, manifestDigest, platform, layers: summaries };
}
