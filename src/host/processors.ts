import { availableParallelism } from "node:os";
import { dirname } from "node:path";
import { type ReadIfAny, readTextIfAny } from "./read-text-if-any.js";

/**
 * How many processors this process may keep busy: those that its affinity allows, and no more than
 * its control groups have time for. A job may have 2 of a node's 128.
 */
export function usableProcessors(): number {
  return Math.min(availableParallelism(), Math.max(1, Math.ceil(cpuQuota(readTextIfAny))));
}

/**
 * The processor time that control groups allow, in processors; Infinity where they set no limit.
 * Each group is bound by those above it (cgroup v2: cpu.max; v1: cpu.cfs_quota_us).
 */
export function cpuQuota(read: ReadIfAny): number {
  let least = Number.POSITIVE_INFINITY;
  for (const line of (read("/proc/self/cgroup") ?? "").split("\n")) {
    // HIERARCHY:CONTROLLERS:PATH, without controllers for v2
    const [, controllers, ...rest] = line.split(":");
    if (controllers !== "" && !controllers?.split(",").includes("cpu")) continue;
    const mount = controllers === "" ? "/sys/fs/cgroup" : `/sys/fs/cgroup/${controllers}`;
    for (let group = rest.join(":"); ; group = dirname(group)) {
      least = Math.min(least, quotaOf(group === "/" ? mount : `${mount}${group}`, read));
      if (group === "/" || group === "." || group === "") break;
    }
  }
  return least;
}

function quotaOf(directory: string, read: ReadIfAny): number {
  const [quota, period] = read(`${directory}/cpu.max`)?.trim().split(" ") ?? [
    read(`${directory}/cpu.cfs_quota_us`),
    read(`${directory}/cpu.cfs_period_us`),
  ];
  const share = Number(quota) / Number(period);
  // "max", -1 and missing files all mean: no limit.
  return share > 0 ? share : Number.POSITIVE_INFINITY;
}
