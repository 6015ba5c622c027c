import { runSlurm } from "./run-slurm.js";

/**
 * The IDs of all jobs that Slurm has not ended yet, as `squeue` lists them: each by its number, and
 * parts of job arrays and of heterogeneous jobs also by the array's or job's (`4711_2`, `4711+1`).
 * @throws StageError BUSY when Slurm can't be asked or does not answer; what `signal` was aborted with
 */
export async function slurmJobs(signal?: AbortSignal): Promise<ReadonlySet<string>> {
  const argv = ["squeue", "--all", "--array", "--noheader", "--format=%A %i"] as const;
  const text = await runSlurm(argv, { to: "say which jobs exist", signal });
  return new Set(text.split(/\s+/).filter((id) => id !== ""));
}
