import { createHash } from "node:crypto";
import { type Entry, readEntry } from "../cache/entry.js";
import { ensureRootfs } from "../cache/rootfs-store.js";
import { StageError } from "../errors.js";
import { mergeWarnings } from "../extract/tally.js";
import { now } from "../host/clock.js";
import { createMountPoints } from "../mountpoints/create.js";
import type { MountRequest } from "../mountpoints/mount-point.js";
import type { Clash } from "../mountpoints/plan.js";
import type { ImageSummary } from "../oci/image.js";
import { addMountPoints, isAmong } from "./add-mount-points.js";
import { isComplete } from "./is-complete.js";
import { type EntryLease, leaseEntry } from "./lease-entry.js";
import { keyOf, mountRequestsOf, type StageRequest } from "./request.js";
import { singularityVersion } from "./singularity-place.js";
import type { ImageOpener } from "./sources/image-opener.js";
import { imageSource } from "./sources/known-source.js";
import { isStagedImage, type StagedImage } from "./staged-image.js";
import type { StagingWork } from "./staging-work.js";
import { writeSingularityFiles } from "./write-singularity-files.js";

/** How often an entry may vanish or clash under a staging before that is taken for a fault. */
const attemptLimit = 50;

export interface VariantOptions {
  readonly summary: ImageSummary;
  readonly work: StagingWork;
  readonly opener: ImageOpener;
}

export interface ReadyEntry {
  readonly entry: Entry<StagedImage>;
  readonly requests: readonly MountRequest[];
  /** Whether the rootfs stood already, or another process made it meanwhile. */
  readonly hit: boolean;
  readonly lease: EntryLease;
}

/**
 * An entry of the image with all mount points that are asked for. Where one needs a place to be of
 * another kind than it is, in the image or for somebody else's mounts, the image gets a second
 * entry in which it is of that kind.
 */
export async function ensureVariant(
  request: StageRequest,
  options: VariantOptions,
): Promise<ReadyEntry> {
  const { summary, work } = options;
  const base = keyOf(request, summary);
  let replaced: readonly Clash[] = [];
  let hit = true;
  for (let attempt = 0; attempt < attemptLimit; attempt++) {
    const variant = { key: variantKey(base, replaced), replaced };
    const { value, made, waitedMs } = await ensureRootfs(request.layout, {
      ...work.waitOptions("the image"),
      key: variant.key,
      isDetails: isStagedImage,
      durability: work.durability,
      make: (directories) => makeRootfs(request, { ...options, ...variant, ...directories, base }),
    });
    work.timings.waitMs += waitedMs;
    hit = hit && !made;
    const requests = mountRequestsOf(request, value.details.config);
    const outcome = await addMountPoints(request, { ...variant, entry: value, requests, work });
    const ready = outcome.kind === "ready" && leaseReady(request, { key: variant.key, requests });
    // It may have been removed, or even made anew, just before; the next round sees it.
    if (ready) return { ...ready, requests, hit };
    if (outcome.kind === "clash") replaced = [...replaced, ...outcome.clashes];
  }
  throw new StageError("BUSY", `the entry ${base} keeps changing`, { hint: "try again" });
}

/** Takes the lease on an entry, and reads it as it is under that. */
function leaseReady(
  request: StageRequest,
  { key, requests }: { key: string; requests: readonly MountRequest[] },
): Pick<ReadyEntry, "entry" | "lease"> | undefined {
  const lease = leaseEntry(request, key);
  const entry = lease && readEntry(request.layout, { key, isDetails: isStagedImage });
  if (!entry || !isComplete(entry.details, requests)) return undefined;
  return { entry, lease };
}

/** The base entry's key, and a word for what was replaced in it. */
function variantKey(base: string, replaced: readonly Clash[]): string {
  if (replaced.length === 0) return base;
  const kinds = replaced.map(({ path, wanted }) => JSON.stringify([path, wanted])).sort();
  const hash = createHash("sha256").update(kinds.join("\n")).digest("hex");
  return `${base}-mounts-${hash.slice(0, 16)}`;
}

interface MakeOptions extends VariantOptions {
  readonly base: string;
  readonly replaced: readonly Clash[];
  readonly rootfs: string;
  readonly scratch: string;
}

async function makeRootfs(request: StageRequest, options: MakeOptions): Promise<StagedImage> {
  const { summary, work, rootfs, replaced } = options;
  const records = await work.makeRootfs(summary, options);
  const { config, platform } = await describe(request, options);
  const requests = mountRequestsOf(request, config);
  const start = now();
  const plan = createMountPoints(rootfs, {
    requests,
    mayReplace: isAmong(replaced),
    isOwnersOnly: request.isShared,
  });
  writeSingularityFiles(rootfs, config);
  work.traced("mount points", { start });
  return {
    imageId: summary.imageId,
    platform,
    config,
    layers: summary.layers.map(({ diffId }, i) => {
      const { unpackedSize = 0, entries = 0 } = records[i] ?? {};
      return { diffId, unpackedSize, entries };
    }),
    // With a clash none was made; the variant to come has them all.
    mountPoints: plan.clashes.length === 0 ? plan.mountPoints : [],
    singularity: singularityVersion,
    warnings: mergeWarnings(records.map(({ warnings }) => warnings)),
    source: imageSource(request, summary),
  };
}

/** The image's config, from another entry where one stands: that spares reading the image. */
async function describe(
  request: StageRequest,
  { base, opener }: MakeOptions,
): Promise<Pick<StagedImage, "config" | "platform">> {
  const entry = readEntry(request.layout, { key: base, isDetails: isStagedImage });
  return entry?.details ?? (await opener.open());
}
