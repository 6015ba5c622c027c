import type { MountPoint, MountRequest } from "./mount-point.js";

function answers(point: MountPoint, { target, kind }: MountRequest): boolean {
  return point.target === target && (kind === "any" || kind === point.kind);
}

/** Whether a rootfs with these mount points has all that is asked for. */
export function coversRequests(
  points: readonly MountPoint[],
  requests: readonly MountRequest[],
): boolean {
  return requests.every((request) => points.some((point) => answers(point, request)));
}

/** The mount points that answer the requests. */
export function selectMountPoints(
  points: readonly MountPoint[],
  requests: readonly MountRequest[],
): readonly MountPoint[] {
  return points.filter((point) => requests.some((request) => answers(point, request)));
}

/** The mount points of before and those made now, one per target. */
export function mergeMountPoints(
  before: readonly MountPoint[],
  now: readonly MountPoint[],
): readonly MountPoint[] {
  const merged = new Map(now.map((point) => [point.target, point]));
  // What was made then is no part of the image now.
  for (const point of before) merged.set(point.target, point);
  return [...merged.values()];
}
