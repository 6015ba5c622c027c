import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { compileSources } from "../../support/compiled-sources.js";
import { deadIdentities, ownedName } from "../../support/identities.js";
import { scratchDirectory } from "../../support/scratch-directory.js";

const processes = 4;
const rounds = Number(process.env["STAGE_ROOTFS_TEST_ROUNDS"] ?? 150);

/**
 * Takes each lock once, which at first belongs to a dead owner, and counts under it. Whoever else is
 * inside at the same time finds the other's mark.
 */
const contender = `
import { readFileSync, rmdirSync, mkdirSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { lock } from "proper-lockfile";
const [, , sources, directory, rounds] = process.argv;
const { lockFileSystem } = await import(sources + "/cache/locks/lock-file-system.js");
const { LockWatch } = await import(sources + "/cache/locks/lock-watch.js");
for (let round = 0; round < Number(rounds); round++) {
  const path = directory + "/locks/" + round;
  for (;;) {
    try {
      const fs = lockFileSystem(new LockWatch());
      const options = { lockfilePath: path, realpath: false, stale: 10000, fs };
      const release = await lock(path, options);
      mkdirSync(directory + "/inside-" + round);
      const count = Number(readFileSync(directory + "/count-" + round, "utf8"));
      if (round % 3 === 0) await sleep(1);
      writeFileSync(directory + "/count-" + round, String(count + 1));
      rmdirSync(directory + "/inside-" + round);
      await release();
      break;
    } catch (error) {
      if (error.code !== "ELOCKED") throw error;
      await sleep(1);
    }
  }
}
`;

let sources: string;
let compiled: string;

beforeAll(() => {
  compiled = mkdtempSync(join(tmpdir(), "stage-rootfs-compiled-"));
  sources = compileSources(compiled);
  writeFileSync(`${compiled}/contender.mjs`, contender);
}, 60_000);

afterAll(() => rmSync(compiled, { recursive: true }));

async function statusOf(child: ChildProcess): Promise<unknown> {
  return (await once(child, "exit"))[0];
}

test("of many processes that break dead owners' locks, one at a time holds each", async () => {
  const directory = scratchDirectory();
  const dead = Object.values(deadIdentities());
  for (let round = 0; round < rounds; round++) {
    const owner = dead[round % dead.length];
    if (!owner) throw new Error("there are dead identities");
    mkdirSync(`${directory}/locks/${round}`, { recursive: true });
    writeFileSync(`${directory}/locks/${round}/${ownedName(owner)}`, "");
    writeFileSync(`${directory}/count-${round}`, "0");
  }
  const args = [`${compiled}/contender.mjs`, sources, directory, String(rounds)];
  const children = Array.from({ length: processes }, () =>
    spawn(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] }),
  );
  const statuses = await Promise.all(children.map(statusOf));
  expect(statuses).toEqual(children.map(() => 0));
  for (let round = 0; round < rounds; round++) {
    expect(readFileSync(`${directory}/count-${round}`, "utf8")).toBe(String(processes));
  }
  expect(readdirSync(`${directory}/locks`)).toEqual([]);
}, 120_000);
