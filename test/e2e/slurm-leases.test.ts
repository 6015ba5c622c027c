import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect } from "vitest";
import { quoteWord } from "../../src/launch/shell-quote.js";
import { file } from "../support/layers.js";
import { dockerArchive } from "../support/staged-archive.js";
import { stageRootfsArgv } from "./support/cli.js";
import { testNeeding } from "./support/programs.js";
import { type SlurmCluster, slurmNeeds } from "./support/slurm/cluster.js";
import { clusterOfFile } from "./support/slurm/cluster-of-file.js";
import { contents } from "./support/staged.js";
import { type UserKind, userFor } from "./support/users.js";

const test = testNeeding(slurmNeeds);

const { cluster } = clusterOfFile({
  afterAll,
  lines: () => ["SlurmdTimeout=3", "PrivateData=jobs", "MessageTimeout=5"],
});

/** A place for one test: an image that all nodes see, and a cache that is each node's own. */
async function placeCalled(name: string) {
  const slurm = await cluster();
  const image = join(slurm.shared, `${name}.tar`);
  writeFileSync(image, dockerArchive([[file("bin/tool", name)]]), { mode: 0o644 });
  const cacheDir = join(slurm.local, name);
  return { slurm, image, cacheDir, words: ["--cache-dir", cacheDir] as const };
}

type Place = Awaited<ReturnType<typeof placeCalled>>;

/** Submits a job that stages the image on each of its nodes, and stays until it is ended. */
async function stagingJob(
  { slurm, image, words }: Place,
  options: readonly string[],
): Promise<string> {
  const stage = stageRootfsArgv(["--json", ...words, image])
    .map(quoteWord)
    .join(" ");
  const said = join(slurm.shared, "job-$SLURM_JOB_ID-$SLURMD_NODENAME");
  const script = `${stage} >"${said}.new" && mv "${said}.new" "${said}"`;
  const steps = `srun --het-group=0,1 sh -c ${quoteWord(script)}`;
  const wrap = `${options.includes(":") ? steps : script}; sleep 300`;
  const output = `--output=${slurm.shared}/job-%j.out`;
  const argv = ["sbatch", "--parsable", output, ...options, "--wrap", wrap] as const;
  const { stdout, stderr, exitCode } = await slurm.run(argv);
  expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
  return stdout.trim();
}

/** Waits until a job has staged its image on a node. @returns the lease that it got */
async function leaseOf({ slurm }: Place, { job, node }: { job: string; node: string }) {
  const path = join(slurm.shared, `job-${job}-${node}`);
  await until(() => existsSync(path));
  const { lease }: { lease: string } = JSON.parse(readFileSync(path, "utf8"));
  return lease;
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 30_000; Date.now() < end; await sleep(50)) {
    if (await condition()) return;
  }
  throw new Error("It did not become so within 30 s.");
}

/** Runs the program on a node, as another job does. */
async function onNode(
  { slurm, words }: Place,
  { node, args, as, path }: { node: string; args: readonly string[]; as?: UserKind; path?: string },
) {
  const [command = "", ...rest] = args;
  const run = stageRootfsArgv([command, ...words, ...rest]);
  const front = path === undefined ? [] : ["env", `PATH=${path}:/usr/bin:/bin`];
  return await slurm.run(["srun", "-w", node, ...front, ...run], as ? { as } : {});
}

async function leasesOn(place: Place, node: string): Promise<readonly string[]> {
  const { stdout } = await onNode(place, { node, args: ["ls", "--json"] });
  const { entries }: { entries: { leases: { lease: string }[] }[] } = JSON.parse(stdout);
  return entries.flatMap(({ leases }) => leases.map(({ lease }) => lease)).sort();
}

const gc = ["gc", "--slurm", "--max-size", "0", "--min-age", "0"];

async function isListed({ run }: SlurmCluster, job: string): Promise<boolean> {
  const { stdout } = await run(["squeue", "--noheader", `--jobs=${job}`]);
  return stdout.trim() !== "";
}

async function cancelled({ slurm }: Place, ...jobs: readonly string[]): Promise<void> {
  await slurm.run(["scancel", ...jobs], { as: "root" });
  await until(
    async () => !(await Promise.all(jobs.map((job) => isListed(slurm, job)))).some(Boolean),
  );
}

describe("two jobs on a node", () => {
  test("share an image that stays until the second one has ended too", async () => {
    const place = await placeCalled("shared-image");
    const node = "n1";
    const [a, b] = [await stagingJob(place, ["-w", node]), await stagingJob(place, ["-w", node])];
    expect(await leaseOf(place, { job: a, node })).toBe(`slurm-${a}`);
    expect(await leaseOf(place, { job: b, node })).toBe(`slurm-${b}`);
    const { entries } = contents(join(place.slurm.localOf(node), "shared-image"));
    const [key = ""] = entries;
    expect(await leasesOn(place, node)).toEqual([`slurm-${a}`, `slurm-${b}`].sort());

    const epilog = await onNode(place, { node, args: ["release", "--lease", `job:${a}`] });
    expect(epilog).toMatchObject({ stdout: `slurm-${a} ${key}\n`, exitCode: 0 });
    expect(await leasesOn(place, node)).toEqual([`slurm-${b}`]);
    const why = `leased by slurm-${b}`;
    const refused = await onNode(place, { node, args: gc });
    expect(refused).toMatchObject({ exitCode: 75, stdout: expect.stringContaining(why) });
    const kept = await onNode(place, { node, args: ["rm", place.image] });
    expect(kept).toMatchObject({ exitCode: 75, stderr: expect.stringContaining(`slurm-${b}`) });

    await cancelled(place, a, b);
    const { stdout, exitCode } = await onNode(place, { node, args: gc });
    expect([exitCode, stdout]).toEqual([0, expect.stringContaining(`removed ${key}`)]);
    expect(contents(join(place.slurm.localOf(node), "shared-image")).entries).toEqual([]);
  });
});

describe("a job that ended without an epilog", () => {
  test("because its node died, has no lease any more once Slurm knows", async () => {
    const place = await placeCalled("dead-node");
    const { slurm } = place;
    const node = "n2";
    const job = await stagingJob(place, ["-w", node, "--no-requeue"]);
    await leaseOf(place, { job, node });
    await slurm.killNode(node);
    await until(async () => !(await isListed(slurm, job)));
    await slurm.startNode(node);
    // A step that has outlived its node's daemon ends when the new one is told to end it.
    await until(async () => (await onNode(place, { node, args: gc })).exitCode === 0);
    expect(await leasesOn(place, node)).toEqual([]);
  });
});

describe("gc --slurm leaves the lease of", () => {
  test("each task of a job array, and of all parts of a heterogeneous job", async () => {
    const place = await placeCalled("parts");
    const tasks = await stagingJob(place, ["-w", "n1", "--array=0-1"]);
    const parts = await stagingJob(place, ["-w", "n3", "-n1", ":", "-w", "n4", "-n1"]);
    // All parts call themselves by the number of the first.
    expect(await leaseOf(place, { job: parts, node: "n3" })).toBe(`slurm-${parts}`);
    expect(await leaseOf(place, { job: parts, node: "n4" })).toBe(`slurm-${parts}`);
    await until(async () => (await leasesOn(place, "n1")).length === 2);
    const leases = await leasesOn(place, "n1");
    expect(leases).toContain(`slurm-${tasks}`);
    for (const node of ["n1", "n3", "n4"]) {
      expect(await onNode(place, { node, args: gc })).toMatchObject({
        exitCode: 75,
        stderr: expect.not.stringContaining("warning"),
      });
    }
    expect(await leasesOn(place, "n1")).toEqual(leases);
    expect(await leasesOn(place, "n4")).toEqual([`slurm-${parts}`]);
    await cancelled(place, tasks, parts);
    for (const node of ["n1", "n3", "n4"]) {
      expect(await onNode(place, { node, args: gc })).toMatchObject({ exitCode: 0 });
      expect(await leasesOn(place, node)).toEqual([]);
    }
  });

  test("a job that waits to run again", async () => {
    const place = await placeCalled("again");
    const node = "n1";
    const job = await stagingJob(place, ["-w", node]);
    await leaseOf(place, { job, node });
    await place.slurm.run(["scontrol", "requeuehold", job]);
    const state = ["squeue", "--noheader", "--format=%T", `--jobs=${job}`] as const;
    await until(async () => (await place.slurm.run(state)).stdout.trim() === "PENDING");
    expect(await onNode(place, { node, args: gc })).toMatchObject({ exitCode: 75 });
    expect(await leasesOn(place, node)).toEqual([`slurm-${job}`]);
    await cancelled(place, job);
    expect(await onNode(place, { node, args: gc })).toMatchObject({ exitCode: 0 });
  });

  test("a job that has a step here, where squeue has forgotten it or shows others", async () => {
    const place = await placeCalled("forgotten");
    const node = "n1";
    const job = await stagingJob(place, ["-w", node]);
    await leaseOf(place, { job, node });
    const bin = join(place.slurm.shared, "bin");
    const lying = async (script: string) => {
      await place.slurm.run(["mkdir", "-p", bin]);
      writeFileSync(join(bin, "squeue"), `#!/bin/sh\n${script}\n`);
      chmodSync(join(bin, "squeue"), 0o755);
      return await onNode(place, { node, args: gc, path: bin });
    };
    expect(await lying("echo JOBID JOBID")).toMatchObject({
      exitCode: 75,
      stderr: expect.not.stringContaining("warning"),
    });
    const silent = await lying("exit 0");
    expect(silent.stderr).toContain(
      "the leases of jobs stay, for Slurm can't say which jobs exist",
    );
    expect(await leasesOn(place, node)).toEqual([`slurm-${job}`]);
    await cancelled(place, job);
  });

  test("another user's job, where users are shown only their own", async () => {
    const place = await placeCalled("hidden");
    const { slurm, image, words } = place;
    const node = "n1";
    const { uid } = userFor("another");
    const staged = await onNode(place, {
      node,
      as: "another",
      args: ["--shared", "--lease", "none", image],
    });
    expect(staged.exitCode).toBe(0);
    const held = await slurm.run(["sbatch", "--parsable", "--hold", "--wrap", "true"]);
    const job = held.stdout.trim();
    const trust = ["--trust-owner", String(uid)];
    const stage = stageRootfsArgv([...words, ...trust, "--lease", `job:${job}`, image]);
    expect(await slurm.run(["srun", "-w", node, ...stage])).toMatchObject({ exitCode: 0 });
    expect(await slurm.run(["squeue", "--noheader"], { as: "another" })).toMatchObject({
      stdout: "",
    });
    const others = await onNode(place, { node, as: "another", args: gc });
    expect(others).toMatchObject({ exitCode: 75, stdout: expect.stringContaining(`slurm-${job}`) });
    await cancelled(place, job);
  });
});
