import type { GcReason, UnmetGoal } from "../../cache/removal/gc-plan.js";
import type { Room } from "../../host/disk-room.js";
import type { Share } from "../../host/quantity.js";
import type { SettingsOptions } from "../settings.js";

/** What {@link collectGarbage} is to reach. */
export interface GcGoalOptions {
  /** What the cache may take, in bytes. */
  readonly maxSize?: number | undefined;
  /** What is to be free of the cache's disk. */
  readonly minFree?: Share | undefined;
  /** How long an entry stays that nobody uses, in seconds. */
  readonly maxAge?: number | undefined;
  /**
   * How many entries stay whatever the other goals are, those used last. As the only goal, it has
   * all others go.
   */
  readonly keepLast?: number | undefined;
}

/** A job that has a lease. */
export interface LeasedJob {
  /** As its `SLURM_JOB_ID` has it. */
  readonly id: string;
  /** Whether this process's user took the lease. */
  readonly isOwn: boolean;
}

export interface GcOptions extends SettingsOptions, GcGoalOptions {
  /** How long after its last use an entry stays whatever the goals are, in seconds. Default: 600. */
  readonly minAge?: number | undefined;
  /**
   * Finds out which jobs still exist, by their IDs; it is told which have leases. Without it, a
   * job's lease holds until it is released. See `slurmJobs`.
   */
  readonly listJobs?:
    | ((
        signal: AbortSignal | undefined,
        leased: readonly LeasedJob[],
      ) => Promise<ReadonlySet<string>>)
    | undefined;
  /** Whether to say only what would go. Default: false. */
  readonly dryRun?: boolean | undefined;
  /** How long to wait for another garbage collection, in seconds. Default: as long as it takes. */
  readonly wait?: number | undefined;
  /** Stops it between two removals; it throws the signal's reason then. */
  readonly signal?: AbortSignal | undefined;
}

/** What garbage collection did, or would do. Sizes are about right. Keys are only ever added. */
export interface GcReport {
  readonly schemaVersion: 1;
  readonly cache: string;
  readonly dryRun: boolean;
  /** In the order in which they went. */
  readonly entries: readonly RemovedEntry[];
  /** Layers that went, with their entries or because no entry needed them. */
  readonly layers: readonly string[];
  /** Leases that went because nobody has them any more. */
  readonly leases: readonly { readonly key: string; readonly lease: string }[];
  /** How many things went that dead processes had left: unfinished work, locks, old blobs. */
  readonly leftovers: number;
  /** How many sources were forgotten. */
  readonly sources: number;
  readonly freed: Room;
  /** What the cache takes now. */
  readonly size: Room;
  /** What is free of its disk now, in bytes; of a dry run, before anything went. */
  readonly free: number;
  /** Entries that a goal asks to go, but that stay, and why. */
  readonly stay: readonly { readonly key: string; readonly why: string }[];
  /** Goals that were not reached. */
  readonly unmet: readonly UnmetGoal[];
  readonly warnings: readonly string[];
}

export interface RemovedEntry {
  readonly key: string;
  readonly imageId: string;
  readonly reason: GcReason;
  /** In milliseconds since 1970. */
  readonly lastUse: number;
  /** What went with it, layers included, in bytes. */
  readonly bytes: number;
  readonly inodes: number;
}
