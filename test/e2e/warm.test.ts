import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, onTestFinished, test } from "vitest";
import type { WarmEvent } from "../../src/index.js";
import { first, onDigest, startOddRegistry } from "../support/odd-registry.js";
import { cut } from "../support/registry/oddities.js";
import { servedImage } from "../support/registry/registry-content.js";
import { freshCacheDir } from "./support/cache-dir.js";
import { type RunOptions, type RunResult, stageRootfs, stageRootfsArgv } from "./support/cli.js";
import { layeredImage } from "./support/layered-image.js";
import { patienceMs } from "./support/odd-runs.js";
import { makeScratchDir } from "./support/places.js";
import { sizedImage } from "./support/sized-image.js";
import { contents, leftovers, stage, stagedBy } from "./support/staged.js";
import { runningAs } from "./support/users.js";

const mebibyte = 1024 ** 2;

/** Runs `warm` on a cache with `--json`, and gives what it told. */
async function warm(
  cacheDir: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<{ run: RunResult; events: readonly WarmEvent[]; states: readonly string[] }> {
  const run = await stageRootfs(["warm", "--json", "--cache-dir", cacheDir, ...args], options);
  const lines = run.stdout.split("\n").filter((line) => line !== "");
  const events: WarmEvent[] = lines.map((line) => JSON.parse(line));
  const ends = events.flatMap((event) => {
    return event.type === "image" && !("attempt" in event) ? [event.state] : [];
  });
  return { run, events, states: ends };
}

function scratch(): string {
  const directory = makeScratchDir("warm", { mode: 0o755 });
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Images that take a while, and share nothing. */
function images(count: number): readonly string[] {
  return Array.from({ length: count }, () => sizedImage([{ files: 4, size: mebibyte }]));
}

describe("a list of images", () => {
  test("is staged from files and registries, but for what is bad, with a line for each", async () => {
    const cacheDir = freshCacheDir("ordinary");
    const directory = scratch();
    const archive = layeredImage(join(directory, "image.tar"));
    writeFileSync(join(directory, "bad.tar"), "no image\n");
    const registry = await startOddRegistry();
    const list = `# nightly\n${archive}\n\n${registry.reference()}\n${archive}\nbad.tar\n`;
    const args = ["warm", "--cache-dir", cacheDir, "-f", "-"];
    const cold = await stageRootfs(args, { input: list, cwd: directory });
    expect(cold.exitCode).toBe(1);
    const lines = cold.stdout.trimEnd().split("\n").sort();
    expect(lines).toHaveLength(2);
    for (const line of lines) expect(line).toMatch(/^staged +[0-9a-f]{12} +\S+ +\d+\.\d+s +\S+$/);
    expect(lines.some((line) => line.endsWith(` ${archive}`))).toBe(true);
    const [bad, summary, ...others] = cold.stderr.trimEnd().split("\n").slice(-2);
    expect(bad).toMatch(/^stage-rootfs: .*bad\.tar/);
    expect([summary, others]).toEqual(["stage-rootfs: 2 of 3 images are ready, 1 failed", []]);
    expect(leftovers(cacheDir)).toEqual([]);
    const leases = await stageRootfs(["ls", "--json", "--cache-dir", cacheDir]);
    expect(leases.stdout.match(/"leases":\[\]/g)).toHaveLength(2);
    const again = await stageRootfs([...args, "--quiet"], { input: `${archive}\n` });
    expect(again).toMatchObject({ exitCode: 0, stderr: "" });
    expect(again.stdout).toMatch(/^hit /);
    expect((await stage(["--cache-dir", cacheDir, archive])).hit).toBe(true);
  });

  test("goes on after kill -9, and what was ready stays so", async () => {
    const cacheDir = freshCacheDir("ordinary");
    const list = images(6);
    const condition = () => contents(cacheDir).entries.length >= 2;
    const killed = await warm(cacheDir, list, { killWhen: { condition } });
    expect(killed.run.signal).toBe("SIGKILL");
    const again = await warm(cacheDir, list);
    expect(again.run).toMatchObject({ exitCode: 0, stderr: "" });
    expect(again.states).toHaveLength(6);
    expect(again.states.filter((state) => state === "hit").length).toBeGreaterThanOrEqual(2);
    expect(leftovers(cacheDir)).toEqual([]);
  });

  test("that two stage at once is staged once", async () => {
    const cacheDir = freshCacheDir("ordinary");
    const list = images(4);
    const runs = await Promise.all([warm(cacheDir, list), warm(cacheDir, list)]);
    for (const { run } of runs) expect(run).toMatchObject({ exitCode: 0, stderr: "" });
    const ends = runs.flatMap(({ states }) => states).sort();
    expect(ends).toEqual([...Array(4).fill("hit"), ...Array(4).fill("staged")]);
    expect(leftovers(cacheDir)).toEqual([]);
  });

  test("is ready in a cache that can't be written to, but for what is missing there", async () => {
    const cacheDir = freshCacheDir("ordinary");
    const [there = "", missing = ""] = images(2);
    await warm(cacheDir, [there]);
    const { stdout: mode } = await execa("stat", ["-c", "%a", `${cacheDir}/v1/tmp`]);
    const closed = ["v1", "v1/tmp", "v1/locks", "v1/index", "v1/rootfs", "v1/layers"];
    for (const name of closed) chmodSync(join(cacheDir, name), 0o500);
    onTestFinished(() => {
      for (const name of closed) chmodSync(join(cacheDir, name), Number.parseInt(mode, 8));
    });
    const { run, states } = await warm(cacheDir, [missing, there]);
    expect([run.exitCode, [...states].sort()]).toEqual([1, ["failed", "hit"]]);
    expect((await warm(cacheDir, [there])).run.exitCode).toBe(0);
    expect((await warm(cacheDir, [missing])).run.exitCode).toBe(77);
  });

  test("is given up at a signal, with nothing half made", async () => {
    const cacheDir = freshCacheDir("ordinary");
    const condition = () => contents(cacheDir).entries.length >= 1;
    const killWhen = { condition, signal: "SIGTERM" as const };
    const { run, events } = await warm(cacheDir, images(6), { killWhen });
    expect(run.exitCode).toBe(143);
    expect(events.filter(({ type }) => type === "end")).toEqual([]);
    expect(leftovers(cacheDir)).toEqual([]);
  });

  test("means the directory in which it was called, which may be gone", async () => {
    const cacheDir = freshCacheDir("ordinary");
    const directory = scratch();
    const list = join(directory, "list");
    writeFileSync(list, "etc/passwd\n");
    const argv = stageRootfsArgv(["warm", "--cache-dir", cacheDir, "-f", list]);
    const script = `mkdir ${directory}/gone; cd ${directory}/gone; rmdir ../gone; "$@"`;
    chmodSync(directory, 0o777);
    const { exitCode, stderr } = await execa("sh", ["-c", script, "sh", ...argv], {
      ...runningAs("ordinary"),
      cwd: "/",
      reject: false,
    });
    expect([exitCode, stderr]).toEqual([66, expect.stringContaining('"etc/passwd" is nowhere')]);
  });

  test("is given up when nobody reads what it tells", async () => {
    const cacheDir = freshCacheDir("ordinary");
    const argv = stageRootfsArgv(["warm", "--cache-dir", cacheDir, ...images(6)]);
    const script = '{ "$@"; echo "ended with $?" >&2; } | true';
    const { stderr } = await execa("sh", ["-c", script, "sh", ...argv], {
      ...runningAs("ordinary"),
      cwd: "/",
    });
    expect(stderr).toContain("cannot write the result to stdout: nobody reads it");
    expect(stderr).toContain("ended with 73");
    expect(leftovers(cacheDir)).toEqual([]);
  });
});

describe("a deadline", () => {
  const image = servedImage({ size: 4_000_000 });
  const large = image.layers[1]?.digest ?? "";
  const stalling = () => onDigest(large, first(1, cut(3_000_000, "stall")));
  const reached = /was not ready within 2 s: 1 of 2 layers were \(.*goes on from there/;

  test.each([
    ["a staging", []],
    ["run", ["run"]],
    ["command", ["command"]],
  ])("ends %s with 75, and the next try has what was finished", async (_, command) => {
    const registry = await startOddRegistry([stalling()], { content: image });
    const cacheDir = freshCacheDir("ordinary");
    const args = ["--cache-dir", cacheDir, registry.reference()];
    const start = performance.now();
    const late = await stageRootfs([...command, ...args, "--deadline", "2"]);
    expect(performance.now() - start).toBeLessThan(15_000);
    expect(late).toMatchObject({ exitCode: 75, stdout: "" });
    expect(late.stderr).toMatch(reached);
    expect(contents(cacheDir)).toMatchObject({ entries: [], layers: [expect.anything()] });
    const next = stagedBy(
      await stageRootfs(["--json", ...args, "--deadline", "90"], { timeoutMs: patienceMs }),
    );
    expect(next.layers.map(({ reused }) => reused)).toEqual([true, false]);
    expect(leftovers(cacheDir)).toEqual([]);
  });

  test("of a list leaves out what it does not reach, and what stands is found", async () => {
    const registry = await startOddRegistry([stalling()], { content: image });
    const cacheDir = freshCacheDir("ordinary");
    const [there = "", ...others] = images(2);
    await stage(["--cache-dir", cacheDir, there]);
    const args = ["--deadline", "2", "--wait", "60", registry.reference(), ...others, there];
    const { run, events, states } = await warm(cacheDir, args);
    expect([run.exitCode, states]).toEqual([1, ["failed", "skipped", "hit"]]);
    expect(events.at(-1)).toMatchObject({ type: "end", ready: 1, failed: 1, skipped: 1 });
    expect(JSON.stringify(events)).toMatch(/not ready within 2 s: 1 of 2 layers were/);
    expect(leftovers(cacheDir).filter((name) => !name.startsWith("blobs/"))).toEqual([]);
  });

  test("holds for who waits for another's staging", async () => {
    const registry = await startOddRegistry([stalling()], { content: image });
    const cacheDir = freshCacheDir("ordinary");
    const args = ["--cache-dir", cacheDir, registry.reference()];
    const condition = () => contents(cacheDir).layers.length > 0;
    let late: RunResult | undefined;
    const waiting = async () => {
      if (!(await condition())) return false;
      late ??= await stageRootfs([...args, "--deadline", "1"]);
      return true;
    };
    await stageRootfs(args, { killWhen: { condition: waiting } });
    expect(late).toMatchObject({ exitCode: 75, stdout: "" });
    expect(late?.stderr).toMatch(/not ready within 1 s: 1 of 2 layers were, in process \d+ on/);
  });
});

describe("--nice", () => {
  test("leaves processors and the disk to others, with all of its threads", async () => {
    const directory = scratch();
    const programs = join(directory, "bin");
    mkdirSync(programs);
    chmodSync(directory, 0o777);
    const ionice = join(programs, "ionice");
    const script = `echo "$@" >${directory}/said; cat /proc/$PPID/task/*/stat >${directory}/threads`;
    writeFileSync(ionice, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    const env = { PATH: `${programs}:${process.env["PATH"]}` };
    const { run } = await warm(freshCacheDir("ordinary"), ["--nice", ...images(1)], { env });
    expect(run).toMatchObject({ exitCode: 0, stderr: "" });
    const threads = readFileSync(join(directory, "threads"), "utf8").trimEnd().split("\n");
    expect(threads.length).toBeGreaterThan(2);
    // After the name, which may have anything in it, the 17th is the nice value (proc(5)).
    const fields = threads.map((line) => line.slice(line.lastIndexOf(")") + 2).split(" "));
    expect(new Set(fields.map((field) => field[16]))).toEqual(new Set(["19"]));
    const said = readFileSync(join(directory, "said"), "utf8").trim();
    const ids = threads.map((line) => line.split(" ")[0]);
    expect(said).toBe(`-c 3 -p ${ids.join(" ")}`);
  });

  test("says what it can't do where there is no ionice, and stages all the same", async () => {
    const env = { PATH: scratch() };
    const { run } = await warm(freshCacheDir("ordinary"), ["--nice", ...images(1)], { env });
    expect(run.exitCode).toBe(0);
    expect(run.stderr).toBe(
      "stage-rootfs: warning: the disk is not left to others: there is no ionice (util-linux)\n",
    );
  });
});
