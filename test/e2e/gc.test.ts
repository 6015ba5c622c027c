import { chmodSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { array, boolean, number, object, parse, string } from "valibot";
import { describe, expect, onTestFinished, test } from "vitest";
import { formatLease } from "../../src/cache/leases/lease-name.js";
import { deadIdentities } from "../support/identities.js";
import { directory, file } from "../support/layers.js";
import { dockerArchive } from "../support/staged-archive.js";
import { freshCacheDir } from "./support/cache-dir.js";
import { type RunOptions, runArgv, stageRootfs } from "./support/cli.js";
import { makeScratchDir } from "./support/places.js";
import { contents, leftovers, stage } from "./support/staged.js";

const reportSchema = object({
  dryRun: boolean(),
  entries: array(object({ key: string(), reason: string(), bytes: number() })),
  layers: array(string()),
  leases: array(object({ key: string(), lease: string() })),
  leftovers: number(),
  freed: object({ bytes: number(), inodes: number() }),
  stay: array(object({ key: string(), why: string() })),
  unmet: array(object({ goal: string() })),
});

/** A directory for a test that everybody may read. */
function openDirectory(): string {
  const path = makeScratchDir("gc", { mode: 0o755 });
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

function fileIn(directory: string, name: string, content: string | Buffer): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  chmodSync(path, 0o755);
  return path;
}

const closed = [
  directory("nix", { mode: 0o555 }),
  directory("nix/store", { mode: 0o000 }),
  file("nix/store/shared", "s".repeat(20_000), { mode: 0o444 }),
];

/** Archives of images that share a layer whose directories nobody may write to. */
function archives(...names: readonly string[]): readonly string[] {
  const place = openDirectory();
  return names.map((name) => {
    const layers = [closed, [file(`nix/store/${name}`, name.repeat(30_000))]];
    return fileIn(place, `${name}.tar`, dockerArchive(layers));
  });
}

/** Runs gc on a cache, where entries count as unused from the start. */
async function gc(cacheDir: string, args: readonly string[], options: RunOptions = {}) {
  const run = ["gc", "--cache-dir", cacheDir, "--min-age", "0", ...args];
  return await stageRootfs(run, options);
}

/** The same with `--json`, which has to succeed. */
async function report(cacheDir: string, args: readonly string[], options: RunOptions = {}) {
  const { exitCode, stdout, stderr } = await gc(cacheDir, [...args, "--json"], options);
  expect(stderr).toBe("");
  expect(exitCode).toBe(0);
  return parse(reportSchema, JSON.parse(stdout));
}

/** A cache with an image of each archive, on which nobody has a lease. */
async function cacheOf(images: readonly string[]): Promise<string> {
  const cacheDir = freshCacheDir("ordinary");
  for (const image of images) await stage(["--cache-dir", cacheDir, "--lease", "none", image]);
  return cacheDir;
}

describe("gc", () => {
  test("says what would go, removes it, and has nothing more to do then", async () => {
    const cacheDir = await cacheOf(archives("a", "b", "c"));
    const before = contents(cacheDir);
    const dry = await report(cacheDir, ["--keep-last", "1", "--dry-run"]);
    expect(contents(cacheDir)).toEqual(before);
    expect(dry).toMatchObject({ dryRun: true, entries: [{}, {}] });
    const wet = await report(cacheDir, ["--keep-last", "1"]);
    expect(wet).toEqual({ ...dry, dryRun: false });
    const after = contents(cacheDir);
    expect([after.entries.length, after.layers.length]).toEqual([1, 2]);
    expect(await report(cacheDir, ["--keep-last", "1"])).toMatchObject({ entries: [], layers: [] });
    expect(leftovers(cacheDir)).toEqual([]);
  });

  test("tells people what went, and frees what it says, also of closed directories", async () => {
    const cacheDir = await cacheOf(archives("a", "b"));
    const { stdout, exitCode } = await gc(cacheDir, ["--max-size", "0"]);
    expect(exitCode).toBe(0);
    const lines = stdout.trimEnd().split("\n");
    expect(lines).toEqual([
      expect.stringMatching(
        /^removed sha256-\S+ {2}\d+K, last used \d+s ago: the cache was too large$/,
      ),
      expect.stringMatching(/^removed sha256-/),
      expect.stringMatching(/^removed 3 layers$/),
      expect.stringMatching(/^freed about \d+K and \d+ inodes; the cache takes about 0$/),
    ]);
    expect(contents(cacheDir)).toEqual({ entries: [], layers: [] });
  });

  test("ends with 75 where what is left is leased, and says so", async () => {
    const [a = "", b = ""] = archives("a", "b");
    const cacheDir = await cacheOf([a, b]);
    const { key } = await stage(["--cache-dir", cacheDir, "--lease", "job:4711", a]);
    const run = await gc(cacheDir, ["--max-size", "1K", "--json"]);
    expect(run.exitCode).toBe(75);
    expect(parse(reportSchema, JSON.parse(run.stdout))).toMatchObject({
      entries: [{ reason: "max-size" }],
      stay: [{ key, why: "leased by slurm-4711" }],
      unmet: [{ goal: "max-size" }],
    });
    expect(JSON.parse(run.stderr)).toMatchObject({ error: { code: "BUSY" } });
    expect(contents(cacheDir).entries).toEqual([key]);
    const said = await gc(cacheDir, ["--max-size", "1K"]);
    expect(said.stderr).toMatch(
      /^stage-rootfs: the cache takes \d+K, more than 1\.0K: the entry that/,
    );
    expect(said.stdout).toContain(`kept ${key}: leased by slurm-4711`);
  });

  test("asks Slurm for its jobs, and goes on without an answer", async () => {
    const cacheDir = await cacheOf(archives("a"));
    const leases = join(cacheDir, "v1/leases", contents(cacheDir).entries[0] ?? "");
    for (const job of ["7", "8", "9_1"]) writeFileSync(join(leases, `job-${job}`), "");
    const bin = openDirectory();
    const PATH = `${bin}:${process.env["PATH"]}`;
    fileIn(
      bin,
      "squeue",
      "#!/bin/sh\necho 'JOBID JOBID'\necho '12 12'\necho '8 8'\necho '13 9_1'\n",
    );
    fileIn(bin, "scontrol", "#!/bin/sh\n");
    const { leases: ended } = await report(cacheDir, ["--slurm"], { env: { PATH } });
    expect(ended.map(({ lease }) => lease)).toEqual(["slurm-7"]);
    fileIn(
      bin,
      "squeue",
      "#!/bin/sh\necho 'slurm_load_jobs error: Unable to contact' >&2\nexit 1\n",
    );
    const { exitCode, stderr } = await gc(cacheDir, ["--slurm"], { env: { PATH } });
    expect([exitCode, stderr]).toEqual([
      0,
      "stage-rootfs: warning: the leases of jobs stay, for Slurm can't say which jobs exist: slurm_load_jobs error: Unable to contact\n",
    ]);
    expect(readdirSync(leases).sort()).toEqual(["job-8", "job-9_1"]);
  });

  test("leaves an entry that a process has its working directory in", async () => {
    const cacheDir = await cacheOf(archives("a"));
    const [key = ""] = contents(cacheDir).entries;
    const rootfs = join(cacheDir, "v1/rootfs", key, "rootfs");
    const sleeping = runArgv(["sleep", "3"], { cwd: rootfs });
    const { stay } = parse(
      reportSchema,
      JSON.parse((await gc(cacheDir, ["--max-size", "0", "--json"])).stdout),
    );
    expect(stay).toEqual([{ key, why: "in use by a running process" }]);
    await sleeping;
    await report(cacheDir, ["--max-size", "0"]);
    expect(contents(cacheDir).entries).toEqual([]);
  });

  test("one after the other, and two at once, remove everything but once", async () => {
    const cacheDir = await cacheOf(archives("a", "b", "c"));
    const reports = await Promise.all([0, 1, 2].map(() => report(cacheDir, ["--max-size", "0"])));
    expect(reports.flatMap(({ entries }) => entries)).toHaveLength(3);
    expect(new Set(reports.flatMap(({ layers }) => layers)).size).toBe(4);
    expect(contents(cacheDir)).toEqual({ entries: [], layers: [] });
    expect(leftovers(cacheDir)).toEqual([]);
  });

  test("killed at any moment leaves whole entries, and the next one goes on", async () => {
    const images = archives("a", "b");
    const cacheDir = await cacheOf(images);
    let interrupted = 0;
    for (let delay = 0; delay < 12; delay++) {
      const start = performance.now();
      const { signal } = await gc(cacheDir, ["--max-size", "0"], {
        killWhen: { condition: () => performance.now() - start > 40 + delay * 12 },
      });
      if (signal !== undefined) interrupted++;
      for (const image of images) {
        const { rootfs } = await stage(["--cache-dir", cacheDir, "--lease", "none", image]);
        expect(readdirSync(join(rootfs, "nix/store"))).toHaveLength(2);
      }
    }
    expect(interrupted).toBeGreaterThan(3);
    await report(cacheDir, ["--max-size", "0"]);
    expect(contents(cacheDir).entries).toEqual([]);
    expect(leftovers(cacheDir)).toEqual([]);
  });

  test("removes what the dead have left", async () => {
    const cacheDir = await cacheOf(archives("a"));
    const [key = ""] = contents(cacheDir).entries;
    const [identity] = Object.values(deadIdentities());
    if (!identity) throw new Error("there are dead identities");
    const lease = formatLease({ kind: "process", identity });
    writeFileSync(join(cacheDir, "v1/leases", key, lease), "");
    const { leases, entries } = await report(cacheDir, []);
    expect([leases.length, entries]).toEqual([1, []]);
  });

  test("takes no goal that is none", async () => {
    const cacheDir = freshCacheDir("ordinary");
    for (const [args, message] of [
      [["--max-size", "lots"], "--max-size takes a whole number"],
      [["--min-free", "110%"], "--min-free takes a value such as 20G or 10%"],
      [["--max-age", "1y"], "--max-age takes a value such as 30d or 12h"],
      [["--keep-last", "-1"], "--keep-last"],
      [["word"], "one word too many"],
    ] as const) {
      const { exitCode, stderr } = await gc(cacheDir, args);
      expect(exitCode).toBe(2);
      expect(stderr).toContain(message);
    }
  });
});

describe("staging", () => {
  test("shrinks the cache to the low watermark, once the result is out", async () => {
    const [a = "", b = "", c = ""] = archives("a", "b", "c");
    const cacheDir = await cacheOf([a, b]);
    const place = openDirectory();
    const config = fileIn(place, "c.toml", "[cache]\nhigh_watermark = '1M'\nlow_watermark = 0\n");
    const args = ["--cache-dir", cacheDir, "--config", config];
    const small = await stageRootfs([...args, c]);
    expect([small.exitCode, small.stderr, contents(cacheDir).entries.length]).toEqual([0, "", 3]);
    fileIn(place, "c.toml", "[cache]\nhigh_watermark = 0\n");
    const [d = ""] = archives("d");
    const { exitCode, stdout, stderr } = await stageRootfs([...args, d]);
    expect([exitCode, statSync(stdout.trim()).isDirectory()]).toEqual([0, true]);
    // All were used just now.
    expect(stderr).toMatch(/^stage-rootfs: warning: the cache stays above its low_watermark/);
    const hit = await stageRootfs([...args, d]);
    expect([hit.exitCode, hit.stderr]).toEqual([0, ""]);
  });

  test("names what is wrong in a configuration, with 78", async () => {
    const [a = ""] = archives("a");
    const config = fileIn(openDirectory(), "c.toml", "[cache]\n\nmaxsize = 5\n");
    const { exitCode, stderr } = await stageRootfs(["--config", config, a]);
    expect(exitCode).toBe(78);
    expect(stderr).toBe(
      `stage-rootfs: ${config}:3: unknown key "maxsize" in [cache] (the nearest known one is "max_size")\n`,
    );
  });

  test("puts the cache where the configuration's target has it", async () => {
    const [a = ""] = archives("a");
    const local = freshCacheDir("ordinary");
    const text = `[targets.x]\nnode_local_path = '${local}'\n[targets.y]\nbase_path = '/none'\n`;
    const config = fileIn(openDirectory(), "c.toml", text);
    const env = { STAGE_ROOTFS_CONFIG: config };
    const { rootfs } = await stage(["--target", "x", a], { env });
    expect(rootfs.startsWith(`${local}/stage-rootfs-`)).toBe(true);
    expect(await stage(["--target", "x", a], { env })).toMatchObject({ hit: true, rootfs });
    const { stdout } = await stageRootfs(["ls", "--target", "x", "--json"], { env });
    expect(stdout).toContain(rootfs);
    const { exitCode, stderr } = await stageRootfs([a], { env });
    expect(exitCode).toBe(78);
    expect(stderr).toContain("has several targets (say which with --target");
  });
});
