import { errnoOf } from "../../errors.js";
import type { CacheLayout } from "../layout.js";
import { isAlive } from "./lease-life.js";
import { leasesOn, releaseLease } from "./leases.js";

/**
 * Removes the leases on an entry of processes that are gone and of times that are over. A cache that
 * is only ever read from would gather one for each of its readers. Leases of other users stay, and
 * those of jobs, which only Slurm can judge.
 * @throws errors of the file system, other than that another process does the same
 */
export function dropDeadLeases(layout: CacheLayout, key: string): void {
  const now = Date.now();
  for (const found of leasesOn(layout, key)) {
    if (isAlive(found.lease, { now }) !== "dead") continue;
    try {
      releaseLease(layout, key, found);
    } catch (error) {
      if (errnoOf(error) !== "EPERM" && errnoOf(error) !== "EACCES") throw error;
    }
  }
}
