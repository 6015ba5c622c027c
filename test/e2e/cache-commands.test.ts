import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, inject, onTestFinished, test } from "vitest";
import { directory, file } from "../support/layers.js";
import { dockerArchive } from "../support/staged-archive.js";
import { freshCacheDir } from "./support/cache-dir.js";
import { type RunOptions, runArgv, stageRootfs, stageRootfsArgv } from "./support/cli.js";
import { makeScratchDir } from "./support/places.js";
import { contents, leftovers, stage } from "./support/staged.js";
import { runningAs } from "./support/users.js";

const base = [
  directory("etc"),
  file("etc/hosts", "x".repeat(5000)),
  directory("closed", { mode: 0o000 }),
];

interface Site {
  readonly cacheDir: string;
  /** Archives of two images that share their base layer. */
  readonly images: readonly [string, string];
  /** Runs a command on the cache, which has to succeed. @returns its stdout */
  readonly run: (args: readonly string[], options?: RunOptions) => Promise<string>;
  /** Runs a command on the cache. @returns exit status and streams */
  readonly attempt: (
    args: readonly string[],
    options?: RunOptions,
  ) => ReturnType<typeof stageRootfs>;
}

function site(): Site {
  const cacheDir = freshCacheDir("ordinary");
  const scratch = makeScratchDir("images", { mode: 0o755 });
  onTestFinished(() => rmSync(scratch, { recursive: true }));
  const image = (name: string) => {
    const path = join(scratch, `${name}.tar`);
    writeFileSync(path, dockerArchive([base, [file(name, name)]]));
    return path;
  };
  const attempt: Site["attempt"] = (args, options) =>
    stageRootfs([...args, "--cache-dir", cacheDir], options);
  return {
    cacheDir,
    images: [image("one"), image("two")],
    attempt,
    run: async (args, options) => {
      const { exitCode, stdout, stderr } = await attempt(args, options);
      if (exitCode !== 0) throw new Error(`exit status ${exitCode}: ${stderr}`);
      return stdout;
    },
  };
}

const inJob = (id: string): RunOptions => ({ env: { SLURM_JOB_ID: id } });

describe("ls", () => {
  test("shows images, sizes, uses and leases, on lines of 80 columns", async () => {
    const { images, run } = site();
    await run([images[0]], inJob("4711"));
    await run([images[1], "--lease=none"]);
    const text = await run(["ls"]);
    expect(text).toMatch(/^KEY +SIZE +SHARED +AGE +USED +LEASES +IMAGE\n/);
    expect(text).toMatch(/4\.9K +4\.9K +\ds +\ds +slurm-4711 .*one\.tar\n/);
    for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
    expect((await run(["ls", images[1]])).split("\n")).toHaveLength(3);
    expect(await run(["ls", "--leases"])).toMatch(/\n {2}slurm-4711, taken \ds ago by user \d+\n/);
  });

  test("tells programs everything", async () => {
    const { cacheDir, images, run } = site();
    const first = await stage([images[0], "--cache-dir", cacheDir], inJob("4711"));
    await run([images[1], "--lease=none"]);
    const listing = JSON.parse(await run(["ls", "--json"]));
    expect(listing).toMatchObject({ schemaVersion: 1, cache: cacheDir, exists: true });
    expect(listing.layers).toHaveLength(3);
    expect(
      listing.layers.filter((layer: { usedBy: unknown[] }) => layer.usedBy.length === 2),
    ).toEqual([expect.objectContaining({ size: 5000, inodes: 3 })]);
    const entry = listing.entries.find(({ key }: { key: string }) => key === first.key);
    expect(entry).toMatchObject({
      rootfs: first.rootfs,
      imageId: first.imageId,
      source: { reference: images[0], kind: "archive", path: images[0], digest: null },
      size: 5003,
      shared: 5000,
      own: 3,
      leases: [{ lease: "slurm-4711", kind: "job", state: "unknown" }],
    });
    const one = JSON.parse(await run(["ls", "--json", first.key.slice("sha256-".length, 20)]));
    expect(one.entries).toEqual([entry]);
  });

  test("of a cache that is empty, missing or unknown to it says so", async () => {
    const { cacheDir, attempt } = site();
    expect(await attempt(["ls"])).toMatchObject({
      exitCode: 0,
      stdout: "",
      stderr: `no images in the cache ${cacheDir}\n`,
    });
    for (const command of ["ls", "du"]) {
      expect(await stageRootfs([command, `--cache-dir=${cacheDir}/none`])).toMatchObject({
        exitCode: 0,
        stdout: "",
        stderr: `there is no cache ${cacheDir}/none\n`,
      });
      const json = await stageRootfs([command, "--json", `--cache-dir=${cacheDir}/none`]);
      expect(JSON.parse(json.stdout)).toMatchObject({
        schemaVersion: 1,
        exists: false,
        entries: [],
      });
    }
    expect(existsSync(`${cacheDir}/none`)).toBe(false);
    expect(await attempt(["ls", "nothing.tar"])).toMatchObject({ exitCode: 66, stdout: "" });
  });

  test("and du wait for nobody, though a living process has all locks", async () => {
    const { cacheDir, images, run } = site();
    const { key } = await stage([images[0], "--cache-dir", cacheDir]);
    const holder = `
      const { mkdirSync, readFileSync, readlinkSync, writeFileSync } = require("node:fs");
      const stat = readFileSync("/proc/self/stat", "latin1").split(" ");
      const words = [
        require("node:os").hostname(),
        readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim(),
        readlinkSync("/proc/self/ns/pid").replace(/\\D/g, ""), process.pid, stat[21], "word",
      ];
      for (const lock of process.argv.slice(1)) {
        mkdirSync(lock);
        writeFileSync(lock + "/" + words.join(","), "");
      }
      console.log("held");
      setInterval(() => {}, 1000);`;
    const names = [`rootfs-${key}`, ...contents(cacheDir).layers.map((name) => `layer-${name}`)];
    const locks = names.map((name) => `${cacheDir}/v1/locks/${name}`);
    const child = spawn(inject("nodePath"), ["-e", holder, ...locks], {
      ...runningAs("ordinary"),
      stdio: ["ignore", "pipe", "inherit"],
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    await once(child.stdout, "data");
    const start = performance.now();
    expect(await run(["ls"])).toContain("one.tar");
    expect(await run(["du"])).toContain("total");
    expect(performance.now() - start).toBeLessThan(10_000);
    await run(["release", "--all"]);
    const { exitCode, stderr } = await stageRootfs(["rm", key, "--cache-dir", cacheDir], {});
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 75, stderr: /is being staged/ });
  });
});

describe("du", () => {
  test("counts each file once, and says who has it", async () => {
    const { cacheDir, images, run } = site();
    for (const image of images) await run([image]);
    const usage = JSON.parse(await run(["du", "--json"]));
    const du = await runArgv(["du", "-s", "--block-size=1", cacheDir]);
    expect(usage.total.bytes).toBe(Number(du.stdout.split("\t")[0]));
    for (const { own, shared } of usage.entries) {
      expect(own.inodes).toBeGreaterThan(1);
      expect(shared).toEqual({ bytes: 8192, inodes: 1 });
    }
    expect(usage.unneededLayers).toEqual({ bytes: 0, inodes: 0 });
    const text = await run(["du"]);
    expect(text.trim().split("\n")).toHaveLength(1 + 2 + 6);
  });
});

describe("rm", () => {
  test("removes an image, and the layers that no other has", async () => {
    const { cacheDir, images, run } = site();
    const one = await stage([images[0], "--cache-dir", cacheDir, "--lease=none"]);
    await run([images[1], "--lease=none"]);
    expect(contents(cacheDir).layers).toHaveLength(3);
    expect(await run(["rm", images[0]])).toBe(`${one.key}\n`);
    expect(existsSync(one.rootfs)).toBe(false);
    expect(contents(cacheDir)).toMatchObject({ entries: [expect.any(String)] });
    expect(contents(cacheDir).layers).toHaveLength(2);
    expect(await run(["rm", "--all", "--json"]).then(JSON.parse)).toMatchObject({
      schemaVersion: 1,
      removed: [expect.any(String)],
      removedLayers: [expect.any(String), expect.any(String)],
      kept: [],
    });
    expect(contents(cacheDir)).toEqual({ entries: [], layers: [] });
    expect(leftovers(cacheDir)).toEqual([]);
    expect(readdirSync(`${cacheDir}/v1/leases`)).toEqual([]);
  });

  test("leaves alone what is leased, and says for whom; --force does not", async () => {
    const { cacheDir, images, attempt, run } = site();
    const { key, rootfs } = await stage([images[0], "--cache-dir", cacheDir], inJob("4711"));
    await run([images[1], "--lease=none"]);
    const refused = await attempt(["rm", "--all"]);
    expect(refused.exitCode).toBe(75);
    expect(refused.stderr).toMatch(new RegExp(`^stage-rootfs: ${key} is in use \\(slurm-4711\\)`));
    expect(readdirSync(rootfs)).toContain("one");
    expect(contents(cacheDir).entries).toEqual([key]);
    expect(await run(["rm", "--force", join(rootfs, "etc")])).toBe(`${key}\n`);
    expect(contents(cacheDir)).toEqual({ entries: [], layers: [] });
  });

  test("that is told nothing, or too much, is wrong usage", async () => {
    const { attempt } = site();
    expect(await attempt(["rm"])).toMatchObject({ exitCode: 2, stdout: "" });
    expect(await attempt(["rm", "--all", "image.tar"])).toMatchObject({ exitCode: 2, stdout: "" });
    expect(await attempt(["rm", "nothing.tar"])).toMatchObject({ exitCode: 66, stdout: "" });
  });
});

describe("release", () => {
  test("gives up what the job has, everywhere, and nothing else", async () => {
    const { images, run, attempt } = site();
    for (const image of images) await run([image], inJob("4711"));
    await run([images[0]], inJob("4712"));
    const said = await run(["release"], inJob("4711"));
    expect(said).toMatch(/^(?:slurm-4711 sha256-[0-9a-f]{64}\n){2}$/);
    expect(await run(["ls"])).toMatch(/slurm-4712/);
    expect(await run(["ls"])).not.toMatch(/slurm-4711/);
    expect(await attempt(["release"], inJob("4711"))).toMatchObject({ exitCode: 0, stdout: "" });
    expect(JSON.parse(await run(["release", "--json", "--lease", "slurm-4712"]))).toMatchObject({
      schemaVersion: 1,
      released: [{ lease: "slurm-4712" }],
    });
    await run(["rm", "--all"]);
  });

  test("does not fail where there is nothing to give up", async () => {
    const { cacheDir, images, attempt } = site();
    for (const args of [["release"], ["release", images[0]], ["release", "nothing.tar"]]) {
      expect(await attempt(args)).toMatchObject({ exitCode: 0, stdout: "" });
    }
    const elsewhere = await stageRootfs(["release", `--cache-dir=${cacheDir}/none`]);
    expect(elsewhere).toMatchObject({ exitCode: 0, stdout: "" });
  });
});

describe("a shell that stages an image", () => {
  test.each([
    ["takes its path", "R=$(stage); list"],
    ["takes its path out of a pipeline", "R=$(stage | tail -n 1); list"],
    ["takes its path in a function", "f() { stage; }; R=$(f); list"],
    ["reads its path in a subshell", "(R=$(stage); test -d $R); list"],
  ])("has the lease while it runs, where it %s", async (_, script) => {
    const { cacheDir, images, attempt, run } = site();
    const quoted = (argv: readonly string[]) => argv.map((word) => `'${word}'`).join(" ");
    const functions = `
      stage() { ${quoted(stageRootfsArgv([images[0], "--cache-dir", cacheDir]))}; }
      list() { echo $$; ${quoted(stageRootfsArgv(["ls", "--json", "--cache-dir", cacheDir]))}; }`;
    const { stdout, stderr } = await runArgv(["/bin/sh", "-c", `${functions}\n${script}; exit`]);
    expect(stderr).toBe("");
    const [pid, json = ""] = stdout.split("\n");
    const { entries } = JSON.parse(json);
    expect(entries[0].leases).toMatchObject([{ lease: `process-${pid}`, state: "alive" }]);
    // With the shell its lease has ended.
    expect(await run(["rm", "--all"])).not.toBe("");
    expect(await attempt(["ls"])).toMatchObject({ stdout: "" });
  });
});

test("an image in a cache that can't be written to is a hit without a lease", async () => {
  const { cacheDir, images, run } = site();
  const { key } = await stage([images[0], "--cache-dir", cacheDir, "--lease=none"]);
  chmodSync(`${cacheDir}/v1/leases/${key}`, 0o555);
  const result = JSON.parse(await run([images[0], "--json"]));
  expect(result).toMatchObject({ hit: true, lease: null, warnings: [{ code: "LEASE_NOT_TAKEN" }] });
  expect((await run([images[0]])).trim()).toBe(result.rootfs);
  chmodSync(`${cacheDir}/v1/leases/${key}`, 0o755);
});

test("all commands mean the cache that the configuration does", async () => {
  const { cacheDir, images } = site();
  const config = join(dirname(images[0]), "config.toml");
  writeFileSync(config, `[targets.node]\nnode_local_path = ${JSON.stringify(cacheDir)}\n`);
  const { key } = await stage([images[0], "--config", config], inJob("4711"));
  for (const args of [["ls"], ["du"], ["release", "--all"], ["rm", "--all"]]) {
    const { exitCode, stdout } = await stageRootfs([...args, "--json", "--config", config]);
    expect([args, exitCode]).toEqual([args, 0]);
    expect(stdout).toContain(key);
  }
});

test("garbage among leases keeps nobody from anything", async () => {
  const { cacheDir, images, run } = site();
  const { key } = await stage([images[0], "--cache-dir", cacheDir, "--lease=none"]);
  const leases = `${cacheDir}/v1/leases`;
  writeFileSync(`${leases}/file`, "");
  mkdirSync(`${leases}/${key}/job-1/full/of`, { recursive: true });
  mkdirSync(`${leases}/${key}/job-2`);
  for (const name of ["process-x", "until--", "lost+found", "a\nb"]) {
    writeFileSync(`${leases}/${key}/${name}`, "{}");
  }
  await run([images[0]], inJob("4711"));
  expect(JSON.parse(await run(["ls", "--json"])).entries[0].leases).toHaveLength(1);
  await run(["release"], inJob("4711"));
  expect(await run(["rm", "--all"])).toBe(`${key}\n`);
  expect(readdirSync(`${leases}/${key}`)).toEqual(["job-1"]);
  rmSync(`${leases}/${key}`, { recursive: true });
});
