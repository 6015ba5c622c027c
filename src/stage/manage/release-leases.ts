import { describeLease, formatLease, type Lease } from "../../cache/leases/lease-name.js";
import { leasesOn, releaseLease } from "../../cache/leases/leases.js";
import { namesIn } from "../../cache/removal/abandoned.js";
import { entriesOf } from "../../cache/removal/inventory.js";
import { fromSystemError, StageError } from "../../errors.js";
import { ownIdentity, type ProcessIdentity } from "../../host/process-identity.js";
import { type LeaseWish, leaseMaker } from "../lease-wish.js";
import { isStagedImage } from "../staged-image.js";
import { findEntries } from "./find-entries.js";
import { type CacheOptions, openCache } from "./open-cache.js";

export interface ReleaseOptions extends CacheOptions {
  /** Keys, paths or references; default: all entries. */
  readonly images?: readonly string[] | undefined;
  /**
   * Whose lease: as when staging, or as results and listings show it (`slurm-4711`), or `all`.
   * Default: that of this process.
   */
  readonly lease?: LeaseWish | { readonly shown: string } | "all" | undefined;
}

/** What was given up. Keys are only ever added. */
export interface ReleaseReport {
  readonly schemaVersion: 1;
  readonly released: readonly ReleasedLease[];
}

export interface ReleasedLease {
  readonly key: string;
  /** As results show it. */
  readonly lease: string;
}

/**
 * Gives leases up. Where there is none, or no such image or cache, there is nothing to do.
 * @throws StageError USAGE, CACHE_UNTRUSTED, PERMISSION and NOT_WRITABLE where one can't be given up, after
 * all others were
 */
export function releaseLeases(options: ReleaseOptions = {}): ReleaseReport {
  const isMeant = leaseMatcher(options.lease ?? "process");
  const cache = openCache(options);
  const { layout, exists } = cache;
  const released: ReleasedLease[] = [];
  const failures: unknown[] = [];
  for (const key of exists ? keysOf(cache, options) : []) {
    const given = new Set<string>();
    const kept = new Map<string, unknown>();
    for (const found of leasesOn(layout, key)) {
      if (!isMeant(found.lease)) continue;
      const lease = describeLease(found.lease);
      try {
        if (releaseLease(layout, key, found)) given.add(lease);
      } catch (error) {
        kept.set(lease, fromSystemError(error, `release ${lease} of ${key}`));
      }
    }
    for (const lease of given) {
      released.push({ key, lease });
      // What is left of that name is another user's.
      kept.delete(lease);
    }
    failures.push(...kept.values());
  }
  if (failures.length > 0) throw failures[0];
  return { schemaVersion: 1, released };
}

function keysOf(
  cache: ReturnType<typeof openCache>,
  { images }: ReleaseOptions,
): readonly string[] {
  const { layout } = cache;
  if (!images) return namesIn(layout.allLeases);
  const entries = [...entriesOf(layout, { isDetails: isStagedImage })];
  const found = images.flatMap((word) => {
    try {
      return findEntries(word, { cache, entries });
    } catch (error) {
      // It may have been removed, and its leases with it.
      if (error instanceof StageError && error.code === "NOT_FOUND") return [];
      throw error;
    }
  });
  return [...new Set(found.map(({ key }) => key))];
}

/** Tells which leases are meant. Those of a process are known by its PID also when it has ended. */
function leaseMatcher(wish: NonNullable<ReleaseOptions["lease"]>): (lease: Lease) => boolean {
  if (wish === "all") return () => true;
  if (typeof wish === "object" && "shown" in wish) {
    return (lease) => describeLease(lease) === wish.shown;
  }
  if (typeof wish === "object" && "pid" in wish) {
    return (lease) => lease.kind === "process" && isProcessHere(lease.identity, wish.pid);
  }
  const made = typeof wish === "object" && "seconds" in wish ? undefined : leaseMaker(wish)?.();
  // A caller who can't be told has a lease until some time, by a word that nobody knows again.
  if (made?.kind === "until") return () => false;
  if (made) return (lease) => formatLease(lease) === formatLease(made);
  throw new StageError("USAGE", "that names no lease that could be given up", {
    hint: "give job, process, job:ID, pid:PID, or the lease as stage-rootfs ls --leases shows it",
  });
}

function isProcessHere({ bootId, pidNamespace, pid }: ProcessIdentity, wanted: number): boolean {
  const own = ownIdentity();
  return pid === wanted && bootId === own.bootId && pidNamespace === own.pidNamespace;
}
