import type { CacheLayout } from "../../cache/layout.js";
import { deadLeases } from "../../cache/leases/dead-leases.js";
import { StageError } from "../../errors.js";
import type { GcOptions, LeasedJob } from "./gc-options.js";

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
  const leased = leasedJobs(layout);
  if (leased.length === 0) return { isJobOver: undefined, warnings: [] };
  try {
    const jobs = await listJobs(signal, leased);
    const over = new Set(leased.map(({ id }) => id).filter((id) => !jobs.has(id)));
    return { isJobOver: (id) => over.has(id), warnings: [] };
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof StageError)) throw error;
    const warning = `the leases of jobs stay, for ${error.message}`;
    return { isJobOver: undefined, warnings: [warning] };
  }
}

function leasedJobs(layout: CacheLayout): readonly LeasedJob[] {
  const own = process.geteuid?.();
  const isOwn = new Map<string, boolean>();
  for (const { found } of deadLeases(layout, { now: Date.now(), isJobOver: () => true })) {
    if (found.lease.kind !== "job") continue;
    const { id } = found.lease;
    isOwn.set(id, found.owner === own && isOwn.get(id) !== false);
  }
  return [...isOwn].map(([id, own]) => ({ id, isOwn: own }));
}
