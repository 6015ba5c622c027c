import { isWithin } from "../host/is-within.js";
import type { Mount } from "./mount.js";

/**
 * Of mounts that are made one after the other, those that can be seen in the end: for runtimes that
 * have an order of their own, or refuse two for one place.
 */
export function visibleMounts(mounts: readonly Mount[]): readonly Mount[] {
  return mounts.filter((mount, index) => {
    return !mounts.slice(index + 1).some((later) => isWithin(mount.target, later.target));
  });
}
