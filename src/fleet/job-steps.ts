import { readdirSync, readFileSync } from "node:fs";
import { processOwner } from "../host/process-owner.js";
import { unlessHidden } from "../host/unless-hidden.js";

/**
 * The numbers of jobs that have a step on this node, whatever Slurm's controller knows: those that a
 * slurmstepd of root's sees to, which has its job in its title.
 */
export function jobsWithSteps(): ReadonlySet<string> {
  const jobs = new Set<string>();
  for (const pid of readdirSync("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    const title = unlessHidden(() => readFileSync(`/proc/${pid}/cmdline`, "latin1"));
    const [, job] = /^slurmstepd: \[(\d+)\./.exec(title ?? "") ?? [];
    // Anybody can call themselves so.
    if (job !== undefined && processOwner(Number(pid)) === 0) jobs.add(job);
  }
  return jobs;
}
