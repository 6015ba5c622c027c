import { readdirSync, readFileSync } from "node:fs";
import { errnoOf } from "../../errors.js";

/** The PIDs of a process's children, the oldest first. */
export function childrenOf(pid: number): readonly number[] {
  const fast = readIfAny(`/proc/${pid}/task/${pid}/children`);
  if (fast !== undefined) return fast.split(" ").filter(Boolean).map(Number);
  // Kernels without CONFIG_PROC_CHILDREN.
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((candidate) => parentOf(candidate) === pid)
    .sort((a, b) => a - b);
}

function parentOf(pid: number): number | undefined {
  const stat = readIfAny(`/proc/${pid}/stat`);
  // The second field is the command's name, in parentheses, and may hold anything.
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields?.[1] === undefined ? undefined : Number(fields[1]);
}

function readIfAny(path: string): string | undefined {
  try {
    return readFileSync(path, "latin1");
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === "ENOENT" || errno === "ESRCH" || errno === "EACCES") return undefined;
    throw error;
  }
}
