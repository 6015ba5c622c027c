import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import pLimit from "p-limit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RunResult } from "./support/cli.js";
import {
  type CrashSite,
  crashSite,
  expectRecovery,
  expectWhole,
  newCache,
  stageWith,
} from "./support/faults/crash-site.js";
import type { Fault } from "./support/faults/fault.js";
import { stagingSteps } from "./support/faults/steps.js";
import { layerCount } from "./support/layered-image.js";
import { contents, leftovers } from "./support/staged.js";

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

function expectRefusal(run: RunResult, reason: RegExp): void {
  expect(run).toMatchObject({ exitCode: 73, stdout: "" });
  expect(run.stderr).toMatch(/^stage-rootfs: cannot [^\n]+\n$|^stage-rootfs: layer [^\n]+\n$/);
  expect(run.stderr).toMatch(reason);
}

const reasons = {
  ENOSPC: /no space, or no inode, left on the disk/,
  EDQUOT: /quota/,
  EIO: /input\/output error/,
} as const;
const errnos = ["ENOSPC", "EDQUOT", "EIO"] as const;

/** What is done without where it goes wrong: spare locks, the first lock, what others are told. */
const forgoable = [
  "a spare lock made",
  "a lock begun",
  "a lock named",
  "the place ahead of others taken",
  "how far it is told",
];

/** What the program says then, and not a system call. */
const told = "the disk told to write";

describe.concurrent("a disk that fails", () => {
  const cases = Object.entries(stagingSteps)
    .filter(([name]) => !forgoable.includes(name) && name !== told)
    .map(([name, step], i) => ({ name, step, what: errnos[i % errnos.length] ?? "EIO" }));

  test.for(cases)("with $what at $name ends the staging, and no more", async ({ step, what }) => {
    await sideBySide(async () => {
      const cacheDir = newCache(atTheEnd);
      // Full it stays until there is room again.
      const lasting = what === "EIO" ? undefined : `${cacheDir}-is-full`;
      const fault: Fault = { what, step, lasting };
      expectRefusal(await stageWith(site, { cacheDir, fault }), reasons[what]);
      expectWhole(site, cacheDir);
      if (lasting !== undefined) rmSync(lasting);
      await expectRecovery(site, cacheDir);
    });
  });

  test.for(["Input/output error", "No space left on device"])(
    "to write what it has taken (%s) has it all made again",
    async (reason) => {
      await sideBySide(async () => {
        const cacheDir = newCache(atTheEnd);
        const programs = `${cacheDir}-programs`;
        mkdirSync(programs);
        writeFileSync(`${programs}/sync`, `#!/bin/sh\necho "sync: ${reason}" >&2\nexit 1\n`);
        chmodSync(`${programs}/sync`, 0o755);
        // A fault that never comes has the program take the disk for a real one.
        const fault: Fault = { what: "EIO", step: /^never/ };
        const path = `${programs}:${process.env["PATH"] ?? ""}`;
        const failed = await stageWith(site, { cacheDir, fault, env: { PATH: path } });
        expectRefusal(failed, new RegExp(reason, "i"));
        expect(contents(cacheDir).entries).toEqual([]);
        expect(leftovers(cacheDir)).toEqual([]);
        const again = await stageWith(site, { cacheDir, fault });
        expect(again).toMatchObject({ exitCode: 0, stderr: "" });
        expectWhole(site, cacheDir);
        expect(contents(cacheDir).layers).toHaveLength(layerCount);
      });
    },
  );
});
