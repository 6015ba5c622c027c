import { readdirSync, readFileSync } from "node:fs";
import { errnoOf } from "../../errors.js";
import { statFields } from "../../host/stat-fields.js";

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
  const parent = stat === undefined ? undefined : statFields(stat)[1];
  return parent === undefined ? undefined : Number(parent);
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
