import { isJobId, type Lease } from "../cache/leases/lease-name.js";
import { StageError } from "../errors.js";
import { callerIdentity, identityOf } from "../host/caller.js";
import { ownIdentity } from "../host/process-identity.js";
import { uniqueWord } from "../host/unique-word.js";

/**
 * What keeps an entry from being removed:
 * - `process`: this process, as long as it lives;
 * - `caller`: the process that called this one, as long as it lives; for an hour where that can't
 *   be told;
 * - `job`: the Slurm job that this process belongs to, by `SLURM_JOB_ID`;
 * - `none`: nothing.
 */
export type LeaseWish =
  | "process"
  | "caller"
  | "job"
  | "none"
  | { readonly pid: number }
  | { readonly job: string }
  | { readonly seconds: number };

/** How long a lease lasts for a caller that can't be watched, in seconds. */
const unwatched = 3600;

/** The longest lease, in seconds: a hundred years. */
const longest = 100 * 365 * 24 * 3600;

/**
 * Checks a wish and says how to make a lease of it; a time counts from when it is made.
 * @returns undefined where none is wished for
 * @throws StageError USAGE
 */
export function leaseMaker(wish: LeaseWish): (() => Lease) | undefined {
  if (wish === "none") return undefined;
  if (wish === "process") return () => ({ kind: "process", identity: ownIdentity() });
  if (wish === "caller") return callersLease;
  if (wish === "job") {
    const id = ownJob();
    if (id !== undefined) return () => ({ kind: "job", id });
    throw new StageError("USAGE", "there is no Slurm job to give the lease to", {
      hint: "SLURM_JOB_ID is not set; name the job with --lease job:ID, or say --lease process",
    });
  }
  if ("job" in wish) return ofJob(wish.job);
  return "pid" in wish ? ofProcess(wish.pid) : ofTime(wish.seconds);
}

/** The Slurm job that this process belongs to. */
export function ownJob(): string | undefined {
  const id = process.env["SLURM_JOB_ID"];
  return id !== undefined && isJobId(id) ? id : undefined;
}

function callersLease(): Lease {
  const identity = callerIdentity();
  return identity ? { kind: "process", identity } : leaseFor(unwatched);
}

function leaseFor(seconds: number): Lease {
  const time = Math.floor(Date.now() + seconds * 1000);
  return { kind: "until", time, word: uniqueWord() };
}

function ofJob(id: string): () => Lease {
  if (isJobId(id)) return () => ({ kind: "job", id });
  throw new StageError("USAGE", `"${id}" is no Slurm job's number`);
}

function ofProcess(pid: number): () => Lease {
  const identity = Number.isInteger(pid) && pid > 0 ? identityOf(pid) : undefined;
  if (identity) return () => ({ kind: "process", identity });
  throw new StageError("USAGE", `there is no process ${pid} to give the lease to`);
}

function ofTime(seconds: number): () => Lease {
  if (seconds > 0 && seconds <= longest) return () => leaseFor(seconds);
  throw new StageError("USAGE", `a lease can't last ${seconds} seconds`, {
    hint: `give a time up to ${longest}`,
  });
}
