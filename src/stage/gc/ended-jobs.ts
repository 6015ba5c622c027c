import type { CacheLayout } from "../../cache/layout.js";
import { deadLeases } from "../../cache/leases/dead-leases.js";
import { StageError } from "../../errors.js";
import type { GcOptions } from "./gc-options.js";

export interface EndedJobs {
  /** Undefined where nobody knows. */
  readonly isJobOver: ((id: string) => boolean) | undefined;
  readonly warnings: readonly string[];
}

/**
 * Which of the jobs that have leases do not exist any more. Where that can't be found out, their
 * leases hold, for that is no reason to let a disk run full.
 */
export async function endedJobs(
  layout: CacheLayout,
  { listJobs, signal }: Pick<GcOptions, "listJobs" | "signal">,
): Promise<EndedJobs> {
  if (!listJobs) return { isJobOver: undefined, warnings: [] };
  // Before the question, for a job may begin right after the answer.
  const leased = new Set<string>();
  for (const { found } of deadLeases(layout, { now: Date.now(), isJobOver: () => true })) {
    if (found.lease.kind === "job") leased.add(found.lease.id);
  }
  if (leased.size === 0) return { isJobOver: undefined, warnings: [] };
  try {
    const jobs = await listJobs(signal);
    return { isJobOver: (id) => leased.has(id) && !jobs.has(id), warnings: [] };
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof StageError)) throw error;
    const warning = `the leases of jobs stay, for ${error.message}`;
    return { isJobOver: undefined, warnings: [warning] };
  }
}
