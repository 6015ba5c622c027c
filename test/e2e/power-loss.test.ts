import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { randomNumbers } from "../support/random-numbers.js";
import {
  type CrashSite,
  crashSite,
  differingTrees,
  expectWhole,
  stageWith,
} from "./support/faults/crash-site.js";
import {
  type DiskKind,
  durableEntries,
  durableLayers,
  type FailingDisk,
  failingDisk,
  failingPowerNeeds,
  stageAfterBoot,
} from "./support/faults/failing-power.js";
import { stagingSteps } from "./support/faults/steps.js";
import { stoppedProcess } from "./support/faults/stopped-process.js";
import { testNeeding } from "./support/programs.js";
import { contents, leftovers } from "./support/staged.js";

const powerTest = testNeeding(failingPowerNeeds);

/** How often power fails at random, on each kind of disk. */
const failures = Number(process.env["POWER_FAILURES"] ?? 3);
const seed = Number(process.env["CRASH_SEED"] ?? Date.now() % 1_000_000);

let site: CrashSite;
const cleanUps: (() => void)[] = [];

beforeAll(async () => {
  site = await crashSite((act) => cleanUps.push(act), "root");
});
afterAll(() => {
  for (const act of cleanUps.reverse()) act();
});

async function onDisk(kind: DiskKind, work: (disk: FailingDisk) => Promise<void>): Promise<void> {
  const disk = await failingDisk(kind);
  try {
    await work(disk);
  } finally {
    await disk.remove();
  }
}

interface Moment {
  readonly name: string;
  readonly when: "before" | "after";
}

/** Has the power fail just before or after a step of a staging. */
async function failAt(disk: FailingDisk, { name, when }: Moment, env: Record<string, string> = {}) {
  const { cacheDir } = disk;
  const fault = { what: "SIGSTOP", step: stagingSteps[name], when } as const;
  const run = stageWith(site, { cacheDir, fault, as: "root", env });
  const pid = await stoppedProcess(cacheDir);
  disk.writeNames();
  await disk.cut();
  process.kill(pid, "SIGKILL");
  await run;
  await disk.fail();
}

/** Expects that what is marked as durable is whole, and that it is all that is believed now. */
async function expectSound({ cacheDir }: FailingDisk): Promise<void> {
  const isThere = existsSync(`${cacheDir}/v1/rootfs`) && existsSync(`${cacheDir}/v1/layers`);
  const entries = isThere ? durableEntries(cacheDir) : [];
  const layers = isThere ? durableLayers(cacheDir) : [];
  expect(differingTrees(site, cacheDir, [...entries, ...layers])).toEqual([]);
  const staged = await stageAfterBoot(["--cache-dir", cacheDir, site.image]);
  expect(staged.hit).toBe(entries.length > 0);
  if (!staged.hit) {
    expect(staged.layers.filter(({ reused }) => reused)).toHaveLength(layers.length);
  }
  expectWhole(site, cacheDir);
  expect(contents(cacheDir).entries).toEqual([staged.key]);
  expect(leftovers(cacheDir)).toEqual([]);
}

const moments: readonly Moment[] = [
  { when: "after", name: "a layer published" },
  { when: "after", name: "a file linked" },
  { when: "before", name: "the disk told to write" },
  { when: "after", name: "a layer marked as durable" },
  { when: "after", name: "the entry marked as durable" },
  { when: "after", name: "the entry published" },
  { when: "after", name: "the publishing made durable" },
  { when: "after", name: "the index put in place" },
];

describe.for(["ext4", "xfs"] as const)("when power fails on %s", (kind) => {
  powerTest.for(moments)("$when $name, what is believed is whole", async (moment) => {
    await onDisk(kind, async (disk) => {
      await failAt(disk, moment);
      await expectSound(disk);
    });
  });

  powerTest("after a staging, its image is there", async () => {
    await onDisk(kind, async (disk) => {
      const fault = { what: "EIO", step: /^never/ } as const;
      const run = await stageWith(site, { cacheDir: disk.cacheDir, fault, as: "root" });
      expect(run).toMatchObject({ exitCode: 0 });
      await disk.cut();
      await disk.fail();
      expect(durableEntries(disk.cacheDir)).toHaveLength(1);
      await expectSound(disk);
    });
  });

  powerTest("at random, what is believed is whole", async () => {
    const random = randomNumbers(seed);
    for (let i = 0; i < failures; i++) {
      await onDisk(kind, async (disk) => {
        const run = stageWith(site, { cacheDir: disk.cacheDir, as: "root" });
        const end = performance.now() + 100 + random() * 500;
        while (performance.now() < end) {
          disk.writeNames();
          await sleep(random() * 100);
        }
        await disk.cut();
        await run;
        await disk.fail();
        await expectSound(disk);
      });
    }
  });

  powerTest("and the disk had not got what it should have, these tests see it", async () => {
    await onDisk(kind, async (disk) => {
      const programs = `${disk.cacheDir}-programs`;
      mkdirSync(programs);
      writeFileSync(`${programs}/sync`, "#!/bin/sh\nexit 0\n", { mode: 0o755 });
      const PATH = `${programs}:${process.env["PATH"] ?? ""}`;
      await failAt(disk, { when: "after", name: "the entry published" }, { PATH });
      const entries = durableEntries(disk.cacheDir);
      expect(entries).toHaveLength(1);
      expect(differingTrees(site, disk.cacheDir, entries)).not.toEqual([]);
    });
  });
});
