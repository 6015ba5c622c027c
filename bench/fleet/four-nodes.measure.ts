import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { execa } from "execa";
import { expect, onTestFinished } from "vitest";
import { blobsGot } from "../../test/e2e/support/access-log.js";
import { stageRootfsArgv } from "../../test/e2e/support/cli.js";
import { makeScratchDir } from "../../test/e2e/support/places.js";
import { testNeeding } from "../../test/e2e/support/programs.js";
import { registryNeeds, startRegistry } from "../../test/e2e/support/registry.js";
import { sizedImage } from "../../test/e2e/support/sized-image.js";
import { type SlurmCluster, slurmNeeds, startSlurm } from "../../test/e2e/support/slurm/cluster.js";
import { markdownTable } from "../report/table.mjs";

const mebibyte = 1024 ** 2;

/** Four layers of 16 MiB that can't be compressed. */
const layers = Array.from({ length: 4 }, () => ({ files: 64, size: mebibyte / 4 }));

const rounds = 3;

const test = testNeeding([...slurmNeeds, ...registryNeeds, "skopeo"]);

test("an image gets to four nodes", async () => {
  const slurm = await startSlurm();
  const storage = makeScratchDir("registry-storage", { mode: 0o755 });
  onTestFinished(() => rmSync(storage, { recursive: true, force: true }));
  const registry = await startRegistry({ storage, readOnly: false });
  const image = `docker://${registry.host}/bench/image:1`;
  const insecure = ["--insecure-policy", "copy", "--quiet", "--dest-tls-verify=false"];
  await execa("skopeo", [...insecure, `oci:${sizedImage(layers)}`, image]);

  const cache = join(slurm.local, "cache");
  const share = join(slurm.shared, "packs");
  const ways = [
    ["every node, one at a time", ["--fan-in", "1"]],
    ["every node, four at a time", ["--fan-in", "4"]],
    ["sbcast", ["--via", "sbcast"]],
    ["shared", ["--via", "shared", "--share", share]],
  ] as const;
  const rows: string[][] = [];
  for (const [name, options] of ways) {
    const times: number[] = [];
    let asked: Awaited<ReturnType<typeof registry.requestsDuring>> = [];
    for (let round = 0; round < rounds; round++) {
      clear(slurm);
      asked = await registry.requestsDuring(async () => {
        const args = ["warm", "--slurm", "--nodes", "n[1-4]", "--cache-dir", cache, ...options];
        const ms = await timed(async () => {
          expect((await slurm.stageRootfs([...args, image])).exitCode).toBe(0);
        });
        times.push(ms);
      });
      await slurm.settled();
    }
    const bytes = asked.reduce((sum, request) => sum + request.bytes, 0);
    const counts = [asked.length, blobsGot(asked).length].map(String);
    rows.push([name, seconds(median(times)), ...counts, `${Math.round(bytes / mebibyte)} MiB`]);
  }
  print(["way", "time", "requests", "of them blobs", "served"], rows);
  print(["piece", "time"], await pieces(slurm, { image, cache, share }));
});

/** What the ways are made of, one by one. */
async function pieces(
  slurm: SlurmCluster,
  { image, cache, share }: { image: string; cache: string; share: string },
): Promise<string[][]> {
  clear(slurm);
  const rows: string[][] = [];
  const measure = async (name: string, argv: readonly [string, ...string[]]) => {
    const times: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const run = async () => void expect((await slurm.run(argv)).exitCode).toBe(0);
      times.push(await timed(run));
      await slurm.settled();
    }
    rows.push([name, seconds(median(times))]);
  };
  const own = ["--cache-dir", cache];
  const pack = stageRootfsArgv(["warm", "--pack", share, ...own, image]);
  await measure("srun of nothing on one node", ["srun", "-w", "n1", "true"]);
  await measure("srun of nothing on four nodes", ["srun", "-N4", "true"]);
  await measure("Node and this program's start", stageRootfsArgv(["--version"]));
  await measure("pack (fetch and verify)", [
    "sh",
    "-c",
    `rm -rf ${share}; exec "$@"`,
    "sh",
    ...pack,
  ]);
  const [packed = ""] = readdirSync(share);
  const send = (...options: readonly string[]) => {
    return [
      "salloc",
      "-Q",
      "-N4",
      "sbcast",
      "--force",
      ...options,
      join(share, packed),
      join(slurm.local, "x"),
    ];
  };
  await measure("salloc of nothing on four nodes", ["salloc", "-Q", "-N4", "true"]);
  await measure("salloc, sbcast to four nodes", ["salloc", ...send().slice(1)]);
  await measure("the same with --compress=lz4", ["salloc", ...send("--compress=lz4").slice(1)]);
  const stage = stageRootfsArgv(["warm", "--from", share, "--offline", ...own, image]);
  await measure("stage from the pack, one node", [
    "srun",
    "-w",
    "n1",
    "sh",
    "-c",
    `rm -rf ${cache}; exec "$@"`,
    "sh",
    ...stage,
  ]);
  return rows;
}

function clear({ local, shared, localOf, nodes }: SlurmCluster): void {
  for (const place of [local, shared, ...nodes.map(localOf)]) {
    for (const name of readdirSync(place)) rmSync(join(place, name), { recursive: true });
  }
}

async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}

function print(titles: readonly string[], rows: readonly (readonly string[])[]): void {
  const columns = titles.map((title, i) => ({ title, align: i === 0 ? "left" : "right" }) as const);
  process.stdout.write(`\n${markdownTable({ columns, rows })}\n`);
}
