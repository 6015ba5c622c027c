import { existsSync } from "node:fs";
import {
  forgetSource,
  type IndexRecord,
  indexRecords,
  isObsolete,
} from "../../cache/index/index-records.js";
import { CacheLayout } from "../../cache/layout.js";
import {
  deadLeases,
  removeDeadLease,
  removeLeaseDirectories,
} from "../../cache/leases/dead-leases.js";
import { keysInUse } from "../../cache/leases/keys-in-use.js";
import { describeLease } from "../../cache/leases/lease-name.js";
import { lockOrAdopt } from "../../cache/locks/lock.js";
import { prepareCache } from "../../cache/place/location.js";
import { hasOwnCache } from "../../cache/place/trust.js";
import type { GcGoals } from "../../cache/removal/gc-plan.js";
import { entriesOf } from "../../cache/removal/inventory.js";
import { fromSystemError, StageError } from "../../errors.js";
import { printable } from "../../host/byte-string.js";
import { diskSpace } from "../../host/disk-space.js";
import { doubtfulKinds } from "../../host/file-system-kind.js";
import { pathsInUse } from "../../host/paths-in-use.js";
import { bytesOfShare } from "../../host/quantity.js";
import { settingsOf } from "../settings.js";
import { isStagedImage } from "../staged-image.js";
import { endedJobs } from "./ended-jobs.js";
import { countLeftovers, removeLeftovers } from "./gc-leftovers.js";
import type { GcGoalOptions, GcOptions, GcReport } from "./gc-options.js";
import { GcRun } from "./gc-run.js";

/**
 * Removes from a cache what nobody needs, and as many entries as it takes to reach goals: the least
 * recently used first, weighed by what it would cost to get them back. Without goals, those of
 * `[cache]` in the configuration count. Entries that somebody has a lease on stay, and those used
 * just now; where they keep a goal from being reached, the report says so.
 * @throws StageError BUSY, CACHE_UNTRUSTED, CONFIG, NOT_WRITABLE, PERMISSION; what `options.signal`
 * was aborted with
 */
export async function collectGarbage(options: GcOptions = {}): Promise<GcReport> {
  const { signal } = options;
  signal?.throwIfAborted();
  const { cacheDirectory, uid, configuration } = settingsOf(options);
  const goals = hasGoal(options) ? options : configuration().cache;
  try {
    const layout = new CacheLayout(cacheDirectory);
    if (!hasOwnCache({ cacheDirectory, uid }) || !existsSync(layout.root)) {
      return nothingThere(cacheDirectory, options);
    }
    // One that is only just being made lacks some of its directories.
    if (!options.dryRun) prepareCache({ cacheDirectory, uid, allowedDisks: doubtfulKinds });
    const work = () => collect(layout, { ...options, goals, cache: cacheDirectory });
    return options.dryRun ? await work() : await underLock(layout, { ...options, work });
  } catch (error) {
    throw fromSystemError(error, `clear up the cache ${printable(cacheDirectory)}`);
  }
}

function hasGoal({ maxSize, minFree, maxAge, keepLast }: GcGoalOptions): boolean {
  return [maxSize, minFree, maxAge, keepLast].some((goal) => goal !== undefined);
}

/**
 * Does work while no other garbage collection is under way.
 * @throws StageError BUSY when the wait is over
 */
export async function underLock<Value>(
  layout: CacheLayout,
  options: Pick<GcOptions, "wait" | "signal"> & { readonly work: () => Promise<Value> },
): Promise<Value> {
  const { wait, signal, work } = options;
  const what = "the cache";
  const outcome = await lockOrAdopt<never>(layout.lock("gc"), {
    what,
    wait,
    signal,
    makesRoom: true,
    adopt: () => undefined,
  }).catch((error: unknown) => {
    // A limit of the system that is reached is BUSY too, but has a cause.
    if (!(error instanceof StageError && error.code === "BUSY" && !error.cause)) throw error;
    throw new StageError("BUSY", "another garbage collection is under way", {
      hint: "it does the same; try again later",
      cause: error,
    });
  });
  if (outcome.kind === "adopted") return outcome.value;
  try {
    return await work();
  } finally {
    await outcome.release();
  }
}

interface CollectOptions extends GcOptions {
  readonly cache: string;
  readonly goals: GcGoalOptions;
}

/** How long after its last use an entry stays, in seconds. */
const usualMinAge = 600;

async function collect(layout: CacheLayout, options: CollectOptions): Promise<GcReport> {
  const { cache, dryRun = false, signal, minAge = usualMinAge } = options;
  const { isJobOver, warnings } = await endedJobs(layout, options);
  const leases = [...deadLeases(layout, { now: Date.now(), isJobOver })];
  if (!dryRun) for (const dead of leases) removeDeadLease(layout, dead);
  const leftovers = dryRun ? countLeftovers(layout) : removeLeftovers(layout);
  const run = new GcRun(layout, {
    goals: goalsOn(cache, options.goals),
    minAge: minAge * 1000,
    keysInUse: keysInUse(pathsInUse()),
    isJobOver,
    signal,
  });
  const outcome = dryRun ? run.preview() : await run.execute();
  const gone = new Set(dryRun ? outcome.entries.map(({ key }) => key) : []);
  const sources = obsoleteRecords(layout, gone);
  if (!dryRun) {
    for (const record of sources) forgetSource(layout, record);
    removeLeaseDirectories(layout, { now: Date.now() });
  }
  return {
    schemaVersion: 1,
    cache,
    dryRun,
    ...outcome,
    leases: leases.map(({ key, found }) => ({ key, lease: describeLease(found.lease) })),
    leftovers,
    sources: sources.length,
    free: diskSpace(cache).free,
    warnings: [...warnings, ...outcome.warnings],
  };
}

/** Goals in bytes and milliseconds. */
function goalsOn(cache: string, { maxSize, minFree, maxAge, keepLast }: GcGoalOptions): GcGoals {
  const { total, free } = diskSpace(cache);
  return {
    maxSize,
    toFree: minFree && { bytes: bytesOfShare(minFree, total) - free, inodes: 0 },
    maxAge: maxAge === undefined ? undefined : maxAge * 1000,
    keepLast,
  };
}

/** @param gone keys of entries that count as gone */
function obsoleteRecords(layout: CacheLayout, gone: ReadonlySet<string>): readonly IndexRecord[] {
  const imageIds = new Set<string>();
  for (const { key, details } of entriesOf(layout, { isDetails: isStagedImage })) {
    if (!gone.has(key)) imageIds.add(details.imageId);
  }
  const at = { imageIds, now: Date.now() };
  return [...indexRecords(layout)].filter((record) => isObsolete(record, at));
}

function nothingThere(cache: string, { dryRun = false }: GcOptions): GcReport {
  const nothing = { bytes: 0, inodes: 0 };
  return {
    schemaVersion: 1,
    cache,
    dryRun,
    entries: [],
    layers: [],
    leases: [],
    leftovers: 0,
    sources: 0,
    freed: nothing,
    size: nothing,
    free: 0,
    stay: [],
    unmet: [],
    warnings: [],
  };
}
