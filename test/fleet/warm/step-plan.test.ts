import { describe, expect, test } from "vitest";
import { type StepOptions, stepArgv, stepEnvironment } from "../../../src/fleet/warm/step-plan.js";

const jobs: StepOptions = {
  way: { kind: "jobs", partitions: new Map([["n1", "compute"]]) },
  program: ["/bin/node", "/opt/stage-rootfs"],
  args: ["--cache-dir=/c"],
  startWithin: 90.5,
  env: {},
};

const where = ["--nodelist=n1", "--nodes=1", "--ntasks=1", "--job-name=stage-rootfs-warm"];
const warm = ["warm", "--cache-dir=/c", "--json", "--nice", "--file", "-"];
const command = [
  ...["--export=ALL", "--mpi=none", "/bin/sh", "-c", expect.stringContaining('exec "$0" "$@"')],
  ...["/bin/node", "/opt/stage-rootfs", ...warm],
];
const small = ["--cpus-per-task=1", "--mem=1G", "--oversubscribe", "--immediate=91"];

describe("the srun of a node", () => {
  test("has a small job of its own outside an allocation", () => {
    const flags = ["--partition=compute", ...small];
    expect(stepArgv("n1", jobs)).toEqual(["srun", ...flags, ...where, ...command]);
  });

  test.each([
    [{ deadline: 600 }, ["--time=11"]],
    [{ deadline: 1 }, ["--time=2"]],
    [{ deadline: 600, env: { SLURM_TIMELIMIT: "5" } }, []],
  ])("has a short job where its work is short: %j", (more, time) => {
    const flags = ["--partition=compute", ...small, ...time];
    expect(stepArgv("n1", { ...jobs, ...more })).toEqual(["srun", ...flags, ...where, ...command]);
  });

  test("shares an allocation with what else runs there", () => {
    const argv = stepArgv("n1", { ...jobs, way: { kind: "allocation", job: "7" } });
    expect(argv).toEqual(["srun", "--overlap", "--jobid=7", ...where, ...command]);
  });
});

describe("the environment of srun", () => {
  test("is the caller's, with the run's name", () => {
    const env = { PATH: "/bin", SLURM_ACCOUNT: "a", SLURM_MEM_PER_NODE: "1" };
    expect(stepEnvironment(env, { run: "ab" })).toEqual({ ...env, STAGE_ROOTFS_WARM_RUN: "ab" });
  });

  test("lacks what a job has of its own shape", () => {
    const kept = { PATH: "/bin", SLURM_CONF: "/c", SLURM_QOS: "q" };
    const ofJob = { SLURM_JOB_ID: "7", SLURM_NTASKS_PER_NODE: "2", SRUN_DEBUG: "3" };
    const env = stepEnvironment({ ...kept, ...ofJob }, { run: "ab" });
    expect(env).toEqual({ ...kept, STAGE_ROOTFS_WARM_RUN: "ab" });
  });
});
