import { readFileSync } from "node:fs";
import { ownIdentity, type ProcessIdentity } from "./process-identity.js";
import { statFields } from "./stat-fields.js";

/** How far up the caller is looked for. A shell nests its subshells less deep. */
const highest = 16;

/** The kernel's flag of a process that was forked and has not started a program since. */
const forkedOnly = 0x40;

/**
 * The process on whose behalf this one was started: its parent. Where that is a subshell, which
 * a shell forks for `$(…)` and for pipelines and which ends with them, it is the shell.
 * @returns undefined where there is none (the parent is PID 1 or in another PID namespace), or it
 *   can't be looked at
 */
export function callerIdentity(parent: number = process.ppid): ProcessIdentity | undefined {
  let pid = parent;
  let caller: ProcessIdentity | undefined;
  for (let height = 0; height < highest && pid > 1; height++) {
    const stat = processStat(pid);
    if (!stat) break;
    caller = { ...ownIdentity(), pid, startTime: stat.startTime };
    if ((stat.flags & forkedOnly) === 0) break;
    pid = stat.parent;
  }
  return caller;
}

/** The identity of a process of this machine; undefined where there is none, or it can't be looked at. */
export function identityOf(pid: number): ProcessIdentity | undefined {
  const stat = processStat(pid);
  return stat && { ...ownIdentity(), pid, startTime: stat.startTime };
}

interface ProcessStat {
  readonly parent: number;
  readonly flags: number;
  readonly startTime: string;
}

/** From /proc/PID/stat, proc(5): the fields 4, 9 and 22. */
function processStat(pid: number): ProcessStat | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  } catch {
    // There is no such process, or /proc hides it.
    return undefined;
  }
  const fields = statFields(stat);
  const [state, parent = "", , , , , flags = ""] = fields;
  const startTime = fields[19];
  if (state === "Z" || state === "X" || startTime === undefined) return undefined;
  return { parent: Number(parent), flags: Number(flags), startTime };
}
