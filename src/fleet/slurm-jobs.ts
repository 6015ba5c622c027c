import { StageError } from "../errors.js";
import { printable } from "../host/byte-string.js";
import type { LeasedJob } from "../stage/gc/gc-options.js";
import { jobsRecordedAsUnfinished } from "./accounted-jobs.js";
import { jobsWithSteps } from "./job-steps.js";
import { askSlurm } from "./slurm-answers.js";
import { visibilityOfJobs } from "./slurm-settings.js";

/**
 * The IDs of all jobs that Slurm has not ended yet, as `squeue` lists them: each by its number, and
 * parts of job arrays and of heterogeneous jobs also by the array's or job's (`4711_2`, `4711+1`).
 * All parts of a heterogeneous job have the number of its first part in their `SLURM_JOB_ID`.
 *
 * A job that is leased and that squeue does not list is among them all the same if a step of it runs
 * on this node, if Slurm's accounting (where there is one) has it as not ended, or if the lease is
 * another user's and Slurm shows this one only jobs of their own.
 * @throws StageError BUSY when Slurm can't be asked or does not answer; what `signal` was aborted with
 */
export async function slurmJobs(
  signal?: AbortSignal,
  leased: readonly LeasedJob[] = [],
): Promise<ReadonlySet<string>> {
  const jobs = new Set(await listedJobs(signal));
  const isMissing = ({ id }: LeasedJob) => !jobs.has(id);
  if (!leased.some(isMissing)) return jobs;
  for (const id of jobsWithSteps()) jobs.add(id);
  const missing = leased.filter(isMissing);
  if (missing.length === 0) return jobs;
  const { seesAll, hasAccounting } = await visibilityOfJobs(signal);
  const unseen = missing.filter(({ isOwn }) => !isOwn && !seesAll).map(({ id }) => id);
  const unfinished = hasAccounting
    ? await jobsRecordedAsUnfinished(
        missing.map(({ id }) => id),
        signal,
      )
    : [];
  return new Set([...jobs, ...unseen, ...unfinished]);
}

/** The line above the list, by which an answer without jobs is told from none. */
const heading = "JOBID JOBID";

async function listedJobs(signal: AbortSignal | undefined): Promise<readonly string[]> {
  const argv = ["squeue", "--all", "--array", "--format=%A %i"] as const;
  const text = await askSlurm(argv, { to: "say which jobs exist", signal });
  const [first, ...lines] = text.split("\n").map((line) => line.trim());
  if (first !== heading) throw noList("squeue printed no list");
  // What is cut off, or has words between, may lack the very job that is asked for.
  if (lines.at(-1) !== "") throw noList("squeue's list breaks off");
  const jobs = lines.filter((line) => line !== "");
  const odd = jobs.find((line) => !jobLine.test(line));
  if (odd !== undefined) throw noList(`squeue's list has ${printable(JSON.stringify(odd))}`);
  return jobs.flatMap((line) => namesOf(line.split(/\s+/)));
}

/** A job's number, and what it is called. */
const jobLine = /^\d+\s+\d\S*$/;

function noList(reason: string): StageError {
  return new StageError("BUSY", `Slurm can't say which jobs exist: ${reason}`, {
    hint: `squeue --format="%A %i" should print ${heading}, and then two names of each job`,
  });
}

/** Each name by which `SLURM_JOB_ID` or `--lease job:ID` may mean a job. */
function namesOf(ids: readonly string[]): readonly string[] {
  return ids.flatMap((id) => {
    const [, first] = /^(\d+)\+\d+$/.exec(id) ?? [];
    return first === undefined ? [id] : [id, first];
  });
}
