import { chownSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { array, number, object, parse, string } from "valibot";
import { describe, expect, inject, onTestFinished, test } from "vitest";
import { freshCacheDir } from "./support/cache-dir.js";
import { type RunResult, runArgv, stageRootfs, stageRootfsArgv } from "./support/cli.js";
import { largeImage, largeImageSize, smallImage } from "./support/large-image.js";
import { makeScratchDir } from "./support/places.js";
import { testNeeding } from "./support/programs.js";
import { contents, leftovers, type Staged, stage } from "./support/staged.js";
import { describeTree } from "./support/tree.js";
import { diffTrees } from "./support/tree-diff.js";
import { runningAs } from "./support/users.js";

const mebibyte = 1024 ** 2;

/** Where there are two processors, or are said to be, a large layer is unpacked by several threads. */
const inStages = ["--jobs", "2"];

/** A staging that is given up counts as hanging after so many ms, also where all is slow. */
const patience = 20_000;

/** A number from 0 to 1 that is another one in each round, and spread evenly over all of them. */
function spread(round: number): number {
  return (round * 0.618) % 1;
}

let onOneThread: ReturnType<typeof describeTree> | undefined;

async function expectWhole(image: string, { rootfs }: Staged): Promise<void> {
  const args = ["--jobs", "1", "--cache-dir", freshCacheDir("ordinary"), image];
  onOneThread ??= describeTree((await stage(args)).rootfs);
  expect(diffTrees(onOneThread, describeTree(rootfs))).toEqual([]);
}

function scratch(prefix: string): string {
  const directory = makeScratchDir(prefix, { mode: 0o1777 });
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

describe("a large layer", () => {
  test("is the same by several threads as by one", async () => {
    const image = await largeImage();
    const args = [...inStages, "--cache-dir", freshCacheDir("ordinary"), image];
    await expectWhole(image, await stage(args));
  });

  test("takes far less memory than it has bytes", async () => {
    expect(largeImageSize).toBeGreaterThan(250 * mebibyte);
    const image = await largeImage();
    const directory = scratch("peak");
    const [peak, reporter] = [join(directory, "peak"), join(directory, "reporter.cjs")];
    writeFileSync(
      reporter,
      `if (require("node:worker_threads").isMainThread) process.on("exit", () => {
        require("node:fs").writeFileSync(${JSON.stringify(peak)}, String(process.resourceUsage().maxRSS));
      });`,
    );
    const args = [...inStages, "--cache-dir", freshCacheDir("ordinary"), image];
    const [node, ...argv] = stageRootfsArgv(args);
    const run = await runArgv([node, "--require", reporter, ...argv]);
    expect(run.exitCode).toBe(0);
    expect(Number(readFileSync(peak, "utf8")) * 1024).toBeLessThan(150 * mebibyte);
  });
});

/** Runs the program and sends it a signal after so many ms. */
async function interrupt(
  args: readonly string[],
  { signal, after }: { signal: NodeJS.Signals; after: number },
): Promise<{ run: RunResult; ms: number }> {
  const start = performance.now();
  let sent = Number.POSITIVE_INFINITY;
  const condition = () => {
    if (performance.now() < start + after) return false;
    sent = performance.now();
    return true;
  };
  const run = await stageRootfs(args, { killWhen: { condition, signal } });
  return { run, ms: performance.now() - sent };
}

describe("a staging of a large layer", () => {
  const status = { SIGTERM: 143, SIGINT: 130, SIGHUP: 129 };
  const signals = ["SIGTERM", "SIGINT", "SIGHUP"] as const;

  const rounds = 12;

  test(`is interrupted ${rounds} times, at all times: it ends and leaves nothing`, async () => {
    const image = await largeImage();
    const start = performance.now();
    await stage([...inStages, "--cache-dir", freshCacheDir("ordinary"), image]);
    const whole = performance.now() - start;
    let cacheDir = freshCacheDir("ordinary");
    let interrupted = 0;
    for (let round = 0; round < rounds; round++) {
      const signal = signals[round % 3] ?? "SIGTERM";
      const args = [...inStages, "--cache-dir", cacheDir, image];
      const { run, ms } = await interrupt(args, { signal, after: spread(round) * whole });
      const left = leftovers(cacheDir);
      if (run.exitCode === 0) {
        expect(left).toEqual([]);
        cacheDir = freshCacheDir("ordinary");
      } else if (run.signal === undefined) {
        expect(run.exitCode).toBe(status[signal]);
        expect(ms).toBeLessThan(patience);
        expect(left).toEqual([]);
        interrupted++;
      } else {
        // It was too early to have a handler for the signal, but maybe not to have a place among
        // the processes that want the image, which the next one takes over.
        expect(run.signal).toBe(signal);
        expect(left.filter((path) => !path.startsWith("locks/ahead-"))).toEqual([]);
      }
    }
    expect(interrupted).toBeGreaterThan(0);
    await expectWhole(image, await stage([...inStages, "--cache-dir", cacheDir, image]));
    expect(leftovers(cacheDir)).toEqual([]);
  });

  test("is killed again and again, and the next one makes it whole", async () => {
    const image = await largeImage();
    const cacheDir = freshCacheDir("ordinary");
    const args = [...inStages, "--cache-dir", cacheDir, image];
    for (let round = 0; round < 8 && contents(cacheDir).entries.length === 0; round++) {
      await interrupt(args, { signal: "SIGKILL", after: 150 + 300 * spread(round) });
    }
    await expectWhole(image, await stage(args));
    expect(leftovers(cacheDir)).toEqual([]);
  });
});

/**
 * Stages an image again and again and gives each up after a while; says what this process has then
 * that it did not have before, when it had staged the image once.
 */
const aborting = `
  import { existsSync, readdirSync } from "node:fs";
  import { setTimeout as sleep } from "node:timers/promises";
  const [index, image, caches, rounds, longest] = process.argv.slice(1);
  const { stageRootfs } = await import(index);
  const count = (directory) => existsSync(directory) ? readdirSync(directory).length : 0;
  // But for the locks that a cache keeps for a full disk.
  const countLeft = (directory) => readdirSync(directory).filter((name) => !/^spare-/.test(name)).length;
  const now = () => ({ files: count("/proc/self/fd"), threads: count("/proc/self/task") });
  await stageRootfs(image, { cacheDir: caches + "/before", jobs: 2 });
  const before = now();
  const told = [];
  let cacheDir = caches + "/0";
  for (let round = 0; round < Number(rounds); round++) {
    const controller = new AbortController();
    let start;
    const started = new Promise((resolve) => { start = resolve; });
    const onEvent = ({ type, state }) => type === "layer" && state === "unpacking" && start();
    const options = { cacheDir, jobs: 2, signal: controller.signal, onEvent };
    const work = stageRootfs(image, options).then(() => "whole", (error) => error.message);
    // Of a layer that the last round has finished nothing is unpacked.
    work.then(start);
    await started;
    // Most of them while threads start.
    await sleep((round * 0.618 % 1) ** 2 * Number(longest));
    const from = performance.now();
    controller.abort(new Error("enough"));
    const outcome = await work;
    const ms = performance.now() - from;
    const left = countLeft(cacheDir + "/v1/tmp") + countLeft(cacheDir + "/v1/locks");
    let { files, threads } = now();
    // The kernel takes its time to forget a thread that has ended.
    for (let wait = 0; wait < 100 && (files > before.files || threads > before.threads); wait++) {
      await sleep(20);
      ({ files, threads } = now());
    }
    files = Math.max(0, files - before.files);
    threads = Math.max(0, threads - before.threads);
    told.push({ outcome, ms, files, threads, left });
    if (outcome === "whole") cacheDir = caches + "/" + round;
    if (files + threads > 0) break;
  }
  console.log(JSON.stringify(told));
`;

const toldSchema = array(
  object({ outcome: string(), ms: number(), files: number(), threads: number(), left: number() }),
);

describe("the library", () => {
  test.each([
    { layer: "large", make: largeImage, rounds: 40, longest: 400 },
    // Its thread loads native code.
    { layer: "small", make: smallImage, rounds: 90, longest: 100 },
  ])(
    "gives up $rounds stagings of a $layer layer, and has no thread or file left",
    async (given) => {
      const { make, rounds, longest } = given;
      const index = join(inject("packageDir"), "dist/index.js");
      const args = [index, await make(), freshCacheDir("ordinary"), `${rounds}`, `${longest}`];
      const node = [inject("nodePath"), "--input-type=module", "--eval", aborting] as const;
      const run = await runArgv([...node, ...args], { timeoutMs: 200_000 });
      expect(run).toMatchObject({ stderr: "", exitCode: 0 });
      const told = parse(toldSchema, JSON.parse(run.stdout)).filter(
        (each) => each.outcome !== "whole",
      );
      for (const each of told) {
        expect(each).toMatchObject({ outcome: "enough", files: 0, threads: 0, left: 0 });
        expect(each.ms).toBeLessThan(patience);
      }
      expect(told.length).toBeGreaterThan(rounds / 3);
    },
  );
});

describe("where the disk is full", () => {
  const mountTest = testNeeding(["root"]);

  mountTest.for([20, 100, 250])("after %i MiB, that is said, and nothing stays", async (size) => {
    const image = await largeImage();
    const mountPoint = scratch("full");
    await execa("mount", ["-t", "tmpfs", "-o", `size=${size}m,mode=1777`, "tmpfs", mountPoint]);
    onTestFinished(async () => {
      await execa("umount", [mountPoint]);
    });
    const cacheDir = join(mountPoint, "cache");
    const run = await stageRootfs([...inStages, "--cache-dir", cacheDir, image]);
    expect(run).toMatchObject({ stdout: "", exitCode: 73 });
    expect(run.stderr).toMatch(
      /^stage-rootfs: (layer .*: no space, or no inode, left|no room for )/,
    );
    expect(leftovers(cacheDir)).toEqual([]);
    expect(contents(cacheDir)).toEqual({ entries: [], layers: [] });
  });
});

/** Somebody who has no processes but those of the test, also where it runs twice at once. */
const lonely = { uid: 40_000 + (process.pid % 20_000), gid: 40_000 };

/** Runs a program that may have only so many processes and threads. */
async function runAmongFew(limit: number, argv: readonly string[]) {
  return await execa("prlimit", [`--nproc=${limit}`, ...argv], {
    ...runningAs("ordinary"),
    ...lonely,
    cwd: "/",
    reject: false,
    timeout: 100_000,
    killSignal: "SIGKILL",
  });
}

/** Tells how many threads Node has for itself once it has loaded a module. */
const counting = `
  import { readdirSync } from "node:fs";
  await import(process.argv[1]);
  console.log(readdirSync("/proc/self/task").length);
`;

/** The lowest limit at which Node loads modules: below, it may abort or even hang by itself. */
async function leastForNode(): Promise<number> {
  const index = join(inject("packageDir"), "dist/index.js");
  const argv = [inject("nodePath"), "--input-type=module", "--eval", counting, index] as const;
  const run = await execa(argv[0], argv.slice(1));
  for (let limit = Number(run.stdout); ; limit++) {
    const { exitCode } = await runAmongFew(limit, argv);
    if (exitCode === 0) return limit;
  }
}

describe("where processes are few", () => {
  const limitTest = testNeeding(["root", "prlimit"]);

  limitTest(
    "a large layer is staged or refused with 75, and nobody waits for a thread",
    async () => {
      const image = await largeImage();
      const cacheDir = join(scratch("few"), "cache");
      mkdirSync(cacheDir, { mode: 0o700 });
      chownSync(cacheDir, lonely.uid, lonely.gid);
      const least = await leastForNode();
      const statuses: (number | undefined)[] = [];
      for (let limit = least; limit < least + 20 && statuses.at(-1) !== 0; limit++) {
        const argv = stageRootfsArgv([...inStages, "--cache-dir", cacheDir, image]);
        const { exitCode, stderr } = await runAmongFew(limit, argv);
        if (exitCode !== 0) {
          expect({ exitCode, stderr }).toEqual({
            exitCode: 75,
            // Node may have said something before.
            stderr: expect.stringMatching(
              /(^|\n)stage-rootfs: (layer \S+: )?cannot start a worker thread: the limit of .* --jobs 1\)$/,
            ),
          });
          expect(leftovers(cacheDir)).toEqual([]);
        }
        statuses.push(exitCode);
      }
      expect(statuses).toContain(75);
      expect(statuses.at(-1)).toBe(0);
    },
  );
});
