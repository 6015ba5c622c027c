import { execFile } from "node:child_process";
import { StageError } from "../errors.js";
import { printable } from "../host/byte-string.js";

/** How long Slurm's controller may take to answer, in milliseconds. */
const patience = 60_000;

/**
 * The IDs of all jobs that Slurm has not ended yet, as `squeue` lists them: each by its number, and
 * parts of job arrays and of heterogeneous jobs also by the array's or job's (`4711_2`, `4711+1`).
 * @throws StageError BUSY when Slurm can't be asked or does not answer; what `signal` was aborted with
 */
export async function slurmJobs(signal?: AbortSignal): Promise<ReadonlySet<string>> {
  const args = ["--all", "--array", "--noheader", "--format=%A %i"];
  const text = await new Promise<string>((resolve, reject) => {
    const options = {
      signal,
      timeout: patience,
      maxBuffer: 1 << 28,
      killSignal: "SIGKILL",
    } as const;
    execFile("squeue", args, options, (error, stdout, stderr) => {
      if (!error) return resolve(stdout);
      if (signal?.aborted) return reject(signal.reason);
      const [reason = ""] = (stderr.trim() || error.message).split("\n");
      const hint = "is Slurm's squeue on PATH, and its controller up?";
      const message = printable(`Slurm can't say which jobs exist: ${reason}`);
      reject(new StageError("BUSY", message, { hint, cause: error }));
    });
  });
  return new Set(text.split(/\s+/).filter((id) => id !== ""));
}
