import { askSlurm } from "./slurm-answers.js";

export interface JobVisibility {
  /** Whether this user is shown the jobs of all users. */
  readonly seesAll: boolean;
  /** Whether jobs that have ended are kept on record. */
  readonly hasAccounting: boolean;
}

/**
 * What this user can find out about jobs.
 * @throws StageError BUSY when Slurm can't be asked or does not answer; what `signal` was aborted with
 */
export async function visibilityOfJobs(signal: AbortSignal | undefined): Promise<JobVisibility> {
  const text = await askSlurm(["scontrol", "show", "config"], {
    to: "say how it is set up",
    signal,
  });
  const settings = new Map(
    text.split("\n").map((line) => {
      const [, name = "", value = ""] = /^(\w+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
      return [name, value] as const;
    }),
  );
  const hidden = settings.get("PrivateData")?.toLowerCase().split(",") ?? [];
  const accounting = settings.get("AccountingStorageType") ?? "";
  return {
    seesAll: process.geteuid?.() === 0 || !(hidden.includes("jobs") || hidden.includes("all")),
    hasAccounting: accounting.endsWith("slurmdbd"),
  };
}
