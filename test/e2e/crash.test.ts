import { statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { execa } from "execa";
import pLimit from "p-limit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { randomNumbers } from "../support/random-numbers.js";
import { stageRootfs } from "./support/cli.js";
import {
  type CrashSite,
  crashSite,
  expectRecovery,
  expectWhole,
  newCache,
  stageWith,
} from "./support/faults/crash-site.js";
import type { Fault } from "./support/faults/fault.js";
import { stagingSteps, sweepingSteps } from "./support/faults/steps.js";
import { leftovers, stage } from "./support/staged.js";

/** About so many processes are killed at random. */
const kills = Number(process.env["CRASH_KILLS"] ?? 200);
const seed = Number(process.env["CRASH_SEED"] ?? Date.now() % 1_000_000);

/** How many calls of a thread that change something are to choose from. */
const usualCalls = 100;

/** A staging is killed that late at most, in milliseconds. */
const usualTime = 500;

let site: CrashSite;
const cleanUps: (() => void)[] = [];
const atTheEnd = (act: () => void) => void cleanUps.push(act);
const sideBySide = pLimit(availableParallelism());

beforeAll(async () => {
  site = await crashSite(atTheEnd);
});
afterAll(() => {
  for (const act of cleanUps.reverse()) act();
});

async function killAt(cacheDir: string, fault: Omit<Fault, "what">): Promise<void> {
  const killed = await stageWith(site, { cacheDir, fault: { ...fault, what: "SIGKILL" } });
  expect(killed).toMatchObject({ signal: "SIGKILL", stdout: "" });
}

describe.concurrent("killed at a step", () => {
  const steps = Object.entries(stagingSteps);
  test.for([
    ...steps.slice(0, 1).map(([name, step]) => ({ when: "before" as const, name, step })),
    // Before one step is after another, as far as one thread goes.
    ...steps.map(([name, step]) => ({ when: "after" as const, name, step })),
  ])("$when $name", async ({ when, step }) => {
    await sideBySide(async () => {
      const cacheDir = newCache(atTheEnd);
      await killAt(cacheDir, { step, when });
      await expectRecovery(site, cacheDir);
    });
  });

  test.for(Object.entries(sweepingSteps))("while it cleans up, after %s", async ([, step]) => {
    await sideBySide(async () => {
      const cacheDir = newCache(atTheEnd);
      await killAt(cacheDir, { step: /^rename .* -> layers\// });
      await killAt(cacheDir, { step, when: "after" });
      await expectRecovery(site, cacheDir);
    });
  });
});

describe("killed while it adds mount points to an entry that stands", () => {
  /** What changes the entry; each step of this name comes after what was done before it. */
  const step = /^(?!(open|close) \S+entry\.json$).*rootfs\/[^/]+\/(?!singularity)/;
  const mounts = ["--mount", "/data/deep:dir", "--mount", "/cfg:file"];

  test("at any step, a check finds no damage, and the next one finishes it", async () => {
    const before = newCache(atTheEnd);
    // Never: but on a disk that is in memory, only a run with faults makes it durable.
    await stageWith(site, { cacheDir: before, fault: { what: "SIGKILL", nth: never } });
    const add = async (nth: number) => {
      const cacheDir = await copyOf(before);
      const fault = { what: "SIGKILL", step, nth } as const;
      const run = await stageWith(site, { cacheDir, args: mounts, fault });
      await expectNoDamage(cacheDir);
      const more = [...mounts, "--mount", "/other"];
      const { rootfs, mountPoints } = await stage(["--cache-dir", cacheDir, ...more, site.image]);
      const made = mountPoints.filter(({ created }) => created).map(({ path }) => path);
      expect(made).toEqual(expect.arrayContaining(["/cfg", "/data/deep", "/other"]));
      expect(statSync(`${rootfs}/data/deep`).mode & 0o7777).toBe(0o755);
      expect(statSync(`${rootfs}/cfg`).mode & 0o7777).toBe(0o644);
      await expectNoDamage(cacheDir);
      expect(leftovers(cacheDir)).toEqual([]);
      return run.signal === "SIGKILL";
    };
    let killed = 0;
    for (let n = 1, goesOn = true; goesOn; n += steps) {
      const nths = Array.from({ length: steps }, (_, i) => n + i);
      const all = await Promise.all(nths.map((nth) => sideBySide(() => add(nth))));
      killed += all.filter(Boolean).length;
      goesOn = all.every(Boolean);
    }
    expect(killed).toBeGreaterThan(15);
  });

  const steps = 4;
  const never = 1_000_000;

  /** A cache that has what another has. */
  async function copyOf(cacheDir: string): Promise<string> {
    const copy = newCache(atTheEnd);
    await execa("cp", ["-a", `${cacheDir}/.`, copy]);
    return copy;
  }

  async function expectNoDamage(cacheDir: string): Promise<void> {
    const run = await stageRootfs(["verify", "--all", "--cache-dir", cacheDir]);
    expect(run, run.stdout).toMatchObject({ exitCode: 0 });
  }
});

/** Something to die of, by chance. */
function randomEnd(random: () => number) {
  if (random() < 0.3) {
    const end = performance.now() + random() * usualTime;
    return { killWhen: { condition: () => performance.now() >= end } };
  }
  const nth = 1 + Math.floor(random() * usualCalls);
  const when = random() < 0.5 ? "before" : "after";
  return { fault: { what: "SIGKILL", nth, when } as const };
}

/** One staging after another is killed, until one is not; all of them in one cache. */
async function killOverAndOver(random: () => number, times: number): Promise<number> {
  const cacheDir = newCache(atTheEnd);
  for (let count = 0; count < times; count++) {
    const run = await stageWith(site, { cacheDir, ...randomEnd(random) });
    expectWhole(site, cacheDir);
    if (run.signal !== "SIGKILL") {
      expect(run).toMatchObject({ exitCode: 0, stderr: "" });
      return count;
    }
  }
  await expectRecovery(site, cacheDir);
  return times;
}

/** Of several at once, each is killed or has the image at its end. */
async function killSeveral(random: () => number): Promise<number> {
  const cacheDir = newCache(atTheEnd);
  const ends = Array.from({ length: 3 }, () => (random() < 0.8 ? randomEnd(random) : {}));
  const runs = await Promise.all(ends.map((end) => stageWith(site, { cacheDir, ...end })));
  expectWhole(site, cacheDir);
  const survivors = runs.filter(({ signal }) => signal !== "SIGKILL");
  for (const run of survivors) expect(run).toMatchObject({ exitCode: 0, stderr: "" });
  await expectRecovery(site, cacheDir);
  return runs.length - survivors.length;
}

describe(`killed at random, with CRASH_SEED=${seed}`, () => {
  const random = randomNumbers(seed);

  /** @returns when so many were killed */
  async function until(count: number, round: () => Promise<number>): Promise<void> {
    let killed = 0;
    while (killed < count) {
      const rounds = Array.from({ length: availableParallelism() }, () => sideBySide(round));
      for (const more of await Promise.all(rounds)) killed += more;
    }
  }

  test("one after another", async () => {
    await until(kills * 0.6, () => killOverAndOver(random, 8));
  });

  test("several at once", async () => {
    await until(kills * 0.4, () => killSeveral(random));
  });
});
