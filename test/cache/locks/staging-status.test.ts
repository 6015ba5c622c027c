import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, test, vi } from "vitest";
import { readStatus, statusPrefix } from "../../../src/cache/locks/staging-status.js";
import { StatusTeller } from "../../../src/cache/locks/status-teller.js";
import { sweep } from "../../../src/cache/removal/sweep.js";
import { now } from "../../../src/host/clock.js";
import { ownIdentity } from "../../../src/host/process-identity.js";
import { emptyCache, leftovers } from "../../support/cache.js";
import { deadIdentities } from "../../support/identities.js";

afterEach(() => void vi.unstubAllEnvs());

const own = ownIdentity();

describe("how far a staging is", () => {
  test("is told to those who wait, with its job and since when", () => {
    vi.stubEnv("SLURM_JOB_ID", "4711");
    const cache = emptyCache();
    const teller = new StatusTeller(cache.layout);
    expect(readStatus(cache.layout, own)).toBeUndefined();
    teller.tell({ finished: 1, total: 3 });
    const status = readStatus(cache.layout, own);
    expect(status).toMatchObject({ job: "4711", finished: 1, total: 3 });
    expect(status?.startedAt).toBeLessThanOrEqual(now());
    expect(status?.startedAt).toBeGreaterThan(now() - 10_000);
    teller.close();
    expect(readStatus(cache.layout, own)).toBeUndefined();
    expect(leftovers(cache)).toEqual([]);
  });

  test.each([undefined, "a b", "x".repeat(65), "\u001b[31m"])("has no job %j", (job) => {
    vi.stubEnv("SLURM_JOB_ID", job);
    const { layout } = emptyCache();
    new StatusTeller(layout).tell({ finished: 0, total: 1 });
    expect(readStatus(layout, own)?.job).toBeNull();
  });

  test("is written now and then, and the last of it soon", async () => {
    const { layout } = emptyCache();
    const teller = new StatusTeller(layout);
    for (let finished = 0; finished <= 50; finished++) teller.tell({ finished, total: 50 });
    expect(readStatus(layout, own)?.finished).toBe(0);
    await sleep(400);
    expect(readStatus(layout, own)?.finished).toBe(50);
    teller.tell({ finished: 50, total: 50 });
    teller.tell({ finished: 50, total: 50 });
    teller.close();
    await sleep(400);
    expect(readdirSync(layout.tmp)).toEqual([]);
  });

  test("is written at once when it becomes known what there is to do", () => {
    const { layout } = emptyCache();
    const teller = new StatusTeller(layout);
    teller.tell({ finished: 0, total: 0 });
    teller.tell({ finished: 1, total: 3 });
    expect(readStatus(layout, own)).toMatchObject({ finished: 1, total: 3 });
    teller.close();
  });

  test("is that of all stagings of a process together", () => {
    const { layout } = emptyCache();
    new StatusTeller(layout).tell({ finished: 1, total: 3 });
    new StatusTeller(layout).tell({ finished: 2, total: 4 });
    expect(readStatus(layout, own)).toMatchObject({ finished: 3, total: 7 });
  });

  test("is another process's own", () => {
    const { layout } = emptyCache();
    new StatusTeller(layout).tell({ finished: 1, total: 3 });
    expect(readStatus(layout, { ...own, pid: own.pid + 1 })).toBeUndefined();
  });

  test("is removed when its process is dead", () => {
    const cache = emptyCache();
    for (const identity of Object.values(deadIdentities())) {
      writeFileSync(`${cache.layout.tmp}/${statusPrefix(identity)}x`, "{}\n");
    }
    sweep(cache.layout);
    expect(leftovers(cache)).toEqual([]);
  });

  test.each([
    "",
    "{",
    "{}\n",
    "null\n",
    '{"job":null,"startedAt":1,"finished":1,"total":3}',
    '{"job":null,"startedAt":"1","finished":1,"total":3}\n',
    '{"job":null,"startedAt":1,"finished":1}\n',
    `{"job":"${"x".repeat(2000)}","startedAt":1,"finished":1,"total":3}\n`,
  ])("is not known where the file holds %j", (text) => {
    const { layout } = emptyCache();
    writeFileSync(`${layout.tmp}/${statusPrefix(own)}x`, text);
    expect(readStatus(layout, own)).toBeUndefined();
  });

  test("is not known where a directory is in its place, or there is no cache", () => {
    const { layout } = emptyCache();
    mkdirSync(`${layout.tmp}/${statusPrefix(own)}x`);
    expect(readStatus(layout, own)).toBeUndefined();
    rmSync(layout.tmp, { recursive: true });
    expect(readStatus(layout, own)).toBeUndefined();
  });
});
