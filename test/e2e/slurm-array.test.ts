import { chmodSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect } from "vitest";
import { quoteWord } from "../../src/launch/shell-quote.js";
import { stageRootfsArgv } from "./support/cli.js";
import { testNeeding } from "./support/programs.js";
import { sizedImage } from "./support/sized-image.js";
import { slurmNeeds } from "./support/slurm/cluster.js";
import { clusterOfFile } from "./support/slurm/cluster-of-file.js";
import { contents, leftovers, stagedBy } from "./support/staged.js";

const test = testNeeding(slurmNeeds);

const words = (argv: readonly string[]) => argv.map(quoteWord).join(" ");

const { cluster } = clusterOfFile({
  afterAll,
  lines: ({ directory, local }) => {
    const epilog = join(directory, "epilog");
    const release = stageRootfsArgv(["release", "--quiet", "--cache-dir", `${local}/cache`]);
    const whose = `--lease "job:$SLURM_JOB_ID" --trust-owner "$SLURM_JOB_UID"`;
    const log = `${directory}/shared/epilog.log`;
    writeFileSync(
      epilog,
      `#!/bin/sh\nPATH=/usr/bin:/bin\n${words(release)} ${whose} >>'${log}' 2>&1\n`,
    );
    chmodSync(epilog, 0o755);
    return [`Epilog=${epilog}`];
  },
});

const jobs = 200;

test("of 200 jobs on four nodes that want the same new image, one for each node unpacks it", {
  timeout: 180_000,
}, async () => {
  const { run, local, localOf, shared, nodes, settled } = await cluster();
  const image = sizedImage([
    { files: 300, size: 20_000 },
    { files: 100, size: 100_000 },
    { files: 1, size: 10 },
  ]);
  const stage = stageRootfsArgv(["--json", "--cache-dir", `${local}/cache`, image]);
  const told = `${shared}/$SLURMD_NODENAME-$SLURM_ARRAY_TASK_ID`;
  const wrap = `${words(stage)} >"${told}"`;
  const options = [`--array=1-${jobs}`, `--output=${shared}/%a.out`];
  const submitted = await run(["sbatch", "--parsable", ...options, "--wrap", wrap]);
  expect(submitted.exitCode).toBe(0);
  await settled();

  const results = readdirSync(shared).flatMap((name) => {
    const [, node = ""] = /^(n\d)-\d+$/.exec(name) ?? [];
    if (node === "") return [];
    const stdout = readFileSync(join(shared, name), "utf8");
    const staged = stagedBy({ stdout, stderr: "", exitCode: 0, signal: undefined });
    return [{ node, ...staged }];
  });
  expect(results).toHaveLength(jobs);
  for (const node of nodes) {
    const here = results.filter((result) => result.node === node);
    const unpacked = here.filter(({ layers }) => layers.some(({ reused }) => !reused));
    expect(unpacked).toHaveLength(1);
    expect(unpacked).toMatchObject([{ hit: false, layers: Array(3).fill({ reused: false }) }]);
    expect(here.filter(({ hit }) => !hit)).toHaveLength(1);
    const cacheDir = join(localOf(node), "cache");
    const { entries, layers } = contents(cacheDir);
    expect([entries.length, layers.length]).toEqual([1, 3]);
    expect(readdirSync(join(cacheDir, "v1/leases", entries[0] ?? ""))).toEqual([]);
    expect(leftovers(cacheDir)).toEqual([]);
  }
  const released = readFileSync(join(shared, "epilog.log"), "utf8").trimEnd().split("\n");
  expect(released).toEqual(released.filter((line) => /^slurm-\d+ sha256-/.test(line)));
  expect(new Set(released).size).toBe(jobs);
});
