import { type Entry, rootfsOf } from "../cache/entry.js";
import { updateRootfs } from "../cache/rootfs-store.js";
import { mergeMountPoints } from "../mountpoints/coverage.js";
import { findClashes, makePlaces, planCreation } from "../mountpoints/create.js";
import type { MountRequest } from "../mountpoints/mount-point.js";
import type { Clash } from "../mountpoints/plan.js";
import { isComplete } from "./is-complete.js";
import type { StageRequest } from "./request.js";
import { singularityVersion } from "./singularity-place.js";
import type { StagedImage } from "./staged-image.js";
import { isStagedImage } from "./staged-image.js";
import type { StagingWork } from "./staging-work.js";
import { writeSingularityFiles } from "./write-singularity-files.js";

export type MountOutcome =
  | { readonly kind: "ready" }
  | { readonly kind: "clash"; readonly clashes: readonly Clash[] }
  | { readonly kind: "gone" };

export interface AddOptions {
  readonly key: string;
  readonly entry: Entry<StagedImage>;
  readonly requests: readonly MountRequest[];
  /** What may be of another kind than in the image. */
  readonly replaced: readonly Clash[];
  readonly work: StagingWork;
}

/**
 * Gives an entry that stands what it lacks of what is asked for. What is made is on record before,
 * so that a process that dies leaves nothing that nobody knows of; the next one here finishes it.
 * @returns "gone" also for what is to be looked at anew
 */
export async function addMountPoints(
  request: StageRequest,
  options: AddOptions,
): Promise<MountOutcome> {
  const { key, entry, requests, replaced, work } = options;
  const isDone = (details: StagedImage) => isComplete(details, requests);
  if (isDone(entry.details)) return { kind: "ready" };
  const isOwnersOnly = request.isShared;
  const wanted = { requests, mayReplace: isAmong(replaced), isOwnersOnly };
  const clashes = findClashes(rootfsOf(request.layout, key), wanted);
  if (clashes.length > 0) return { kind: "clash", clashes };
  const updated = await updateRootfs(request.layout, {
    ...work.waitOptions("the image"),
    key,
    isDetails: isStagedImage,
    durability: work.durability,
    isDone,
    announce: (rootfs, before) => {
      const details = withPlanned(rootfs, before);
      const { places, mountPoints, clashes } = planCreation(rootfs, wanted);
      return clashes.length > 0 ? details : { ...details, planned: { places, mountPoints } };
    },
    change: (rootfs, announced) => {
      const details = withPlanned(rootfs, announced);
      writeSingularityFiles(rootfs, details.config);
      return { ...details, singularity: singularityVersion };
    },
  });
  // Another process may have made a clashing mount point just before; the next round sees it.
  return updated && isDone(updated.details) ? { kind: "ready" } : { kind: "gone" };
}

/** Makes what is planned, if anything is. */
function withPlanned(rootfs: string, { planned, ...details }: StagedImage): StagedImage {
  if (!planned) return details;
  makePlaces(rootfs, planned.places);
  const mountPoints = mergeMountPoints(details.mountPoints, planned.mountPoints);
  return { ...details, mountPoints };
}

export function isAmong(replaced: readonly Clash[]): (clash: Clash) => boolean {
  return (clash) => replaced.some((r) => r.path === clash.path && r.wanted === clash.wanted);
}
