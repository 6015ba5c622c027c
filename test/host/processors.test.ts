import { availableParallelism } from "node:os";
import { describe, expect, test } from "vitest";
import { cpuQuota, usableProcessors } from "../../src/host/processors.js";

const v2 = "/sys/fs/cgroup";
const v1 = "/sys/fs/cgroup/cpu,cpuacct";

const cases: readonly {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  readonly quota: number;
}[] = [
  { name: "no control groups", files: {}, quota: Number.POSITIVE_INFINITY },
  {
    name: "a group without a limit",
    files: { "/proc/self/cgroup": "0::/job\n", [`${v2}/job/cpu.max`]: "max 100000\n" },
    quota: Number.POSITIVE_INFINITY,
  },
  {
    name: "a group with one",
    files: { "/proc/self/cgroup": "0::/job\n", [`${v2}/job/cpu.max`]: "150000 100000\n" },
    quota: 1.5,
  },
  {
    name: "a group above that has less",
    files: {
      "/proc/self/cgroup": "0::/slurm/job_4711/step_0\n",
      [`${v2}/slurm/job_4711/step_0/cpu.max`]: "800000 100000\n",
      [`${v2}/slurm/job_4711/cpu.max`]: "200000 100000\n",
      [`${v2}/slurm/cpu.max`]: "max 100000\n",
    },
    quota: 2,
  },
  {
    name: "a group that sees itself as the root, as in a container",
    files: { "/proc/self/cgroup": "0::/\n", [`${v2}/cpu.max`]: "50000 100000\n" },
    quota: 0.5,
  },
  {
    name: "version 1",
    files: {
      "/proc/self/cgroup": "12:pids:/job\n4:cpu,cpuacct:/job\n0::/\n",
      [`${v1}/job/cpu.cfs_quota_us`]: "300000\n",
      [`${v1}/job/cpu.cfs_period_us`]: "100000\n",
      [`${v1}/cpu.cfs_quota_us`]: "-1\n",
      [`${v1}/cpu.cfs_period_us`]: "100000\n",
    },
    quota: 3,
  },
  {
    name: "a name with a colon",
    files: { "/proc/self/cgroup": "0::/a:b\n", [`${v2}/a:b/cpu.max`]: "100000 100000\n" },
    quota: 1,
  },
  {
    name: "what is no number",
    files: { "/proc/self/cgroup": "garbage\n0::/x", [`${v2}/x/cpu.max`]: "much more\n" },
    quota: Number.POSITIVE_INFINITY,
  },
];

describe("cpuQuota", () => {
  test.for(cases)("$name", ({ files, quota }) => {
    expect(cpuQuota((path) => files[path])).toBe(quota);
  });
});

test("usableProcessors are some, and not more than there are", () => {
  const usable = usableProcessors();
  expect(Number.isInteger(usable)).toBe(true);
  expect(usable).toBeGreaterThanOrEqual(1);
  expect(usable).toBeLessThanOrEqual(availableParallelism());
});
