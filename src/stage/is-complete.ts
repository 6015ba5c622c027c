import { coversRequests } from "../mountpoints/coverage.js";
import type { MountRequest } from "../mountpoints/mount-point.js";
import { singularityVersion } from "./singularity-place.js";
import type { StagedImage } from "./staged-image.js";

/**
 * Whether an entry has all that is asked for, and what every entry of this version has. In a cache
 * that is somebody else's nobody could add the latter, and few need it.
 */
export function isComplete(
  { mountPoints, singularity }: StagedImage,
  requests: readonly MountRequest[],
  { isForeign = false }: { readonly isForeign?: boolean } = {},
): boolean {
  const isCurrent = singularity === singularityVersion || isForeign;
  return isCurrent && coversRequests(mountPoints, requests);
}
