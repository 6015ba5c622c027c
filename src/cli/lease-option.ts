import { StageError } from "../errors.js";
import { printable } from "../host/byte-string.js";
import { parseDuration } from "../host/quantity.js";
import { type LeaseWish, ownJob } from "../stage/lease-wish.js";
import type { OptionValues } from "./options.js";

/** Whose life a lease on a process's behalf goes by: that of the caller, or this process's own. */
export type LeaseHolder = "caller" | "process";

/**
 * What `--lease` asks for; without it the Slurm job's lease, else that of the process.
 * @throws StageError USAGE
 */
export function leaseOption({ lease: text }: OptionValues, holder: LeaseHolder): LeaseWish {
  if (text === undefined) return ownJob() === undefined ? holder : "job";
  if (text === "process") return holder;
  if (text === "job" || text === "none") return text;
  const [, pid] = /^pid:(\d{1,10})$/.exec(text) ?? [];
  if (pid !== undefined) return { pid: Number(pid) };
  const [, job] = /^job:(.+)$/.exec(text) ?? [];
  if (job !== undefined) return { job };
  const seconds = parseDuration(text);
  if (seconds !== undefined) return { seconds };
  throw new StageError("USAGE", `--lease can't be "${printable(text)}"`, {
    hint: "give job, process, none, pid:PID, job:ID, or a time as 90s, 30m, 8h, 7d",
  });
}
