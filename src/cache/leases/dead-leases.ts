import { lutimesSync, rmdirSync } from "node:fs";
import { dirname } from "node:path";
import { ignoring } from "../../host/ignoring.js";
import { isUnreadable } from "../../host/is-unreadable.js";
import { lstatIfAny } from "../../host/lstat-if-any.js";
import { entryFile } from "../entry.js";
import type { CacheLayout } from "../layout.js";
import { namesIn } from "../removal/abandoned.js";
import { isAlive } from "./lease-life.js";
import { type FoundLease, leasesOn, releaseLease } from "./leases.js";
import { leavingFile } from "./leaving.js";

export interface DeadLease {
  readonly key: string;
  readonly found: FoundLease;
}

export interface DeadLeaseOptions {
  /** In milliseconds since 1970. */
  readonly now: number;
  /** Whether a job is over. Without it, jobs count as under way. */
  readonly isJobOver?: ((id: string) => boolean) | undefined;
}

/** Leases that protect nothing any more, also those on entries that are gone. */
export function* deadLeases(layout: CacheLayout, options: DeadLeaseOptions): Generator<DeadLease> {
  for (const key of namesIn(dirname(layout.leases("x")))) {
    for (const found of leasesOn(layout, key)) {
      if (isDead(found, options)) yield { key, found };
    }
  }
}

/** Whether a lease protects nothing any more. */
export function isDead({ lease }: FoundLease, { now, isJobOver }: DeadLeaseOptions): boolean {
  if (lease.kind === "job") return isJobOver?.(lease.id) ?? false;
  return isAlive(lease, { now }) === "dead";
}

/** A lease, or directory for leases, that somebody has made immutable: it protects nothing, and stays. */
const fixed = ["EPERM", "EACCES"];

/**
 * Removes a dead lease, if it can be removed. That it goes is no use of the entry, whose last use is
 * read off the directory's date too.
 */
export function removeDeadLease(layout: CacheLayout, { key, found }: DeadLease): void {
  const directory = layout.leases(key);
  const before = lstatIfAny(directory);
  const isGone = ignoring(fixed, () => releaseLease(layout, key, found));
  if (!isGone || !before) return;
  const lastUse = new Date(Math.max(found.takenAt, Math.min(before.mtimeMs, before.ctimeMs)));
  ignoring(["ENOENT"], () => lutimesSync(directory, lastUse, lastUse));
}

/** How long a directory for leases may wait for its entry to be published, in milliseconds. */
const patience = 60 * 60 * 1000;

/** Removes the directories for leases that are empty and whose entries are gone. */
export function removeLeaseDirectories(layout: CacheLayout, { now }: { now: number }): void {
  for (const key of namesIn(dirname(layout.leases("x")))) {
    if (mayStand(layout, key)) continue;
    const stat = lstatIfAny(layout.leases(key));
    if (!stat?.isDirectory() || Math.abs(now - stat.mtimeMs) < patience) continue;
    ignoring(["ENOENT", "ENOTEMPTY", "EEXIST", ...fixed], () => rmdirSync(layout.leases(key)));
  }
}

/** Whether there is an entry, or its directory can't be entered: then nobody knows. */
function mayStand(layout: CacheLayout, key: string): boolean {
  const mark = entryFile(layout.entry(key));
  try {
    return (lstatIfAny(mark) ?? lstatIfAny(leavingFile(mark))) !== undefined;
  } catch (error) {
    if (isUnreadable(error)) return true;
    throw error;
  }
}
