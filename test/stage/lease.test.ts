import { chmodSync, existsSync, readdirSync, rmdirSync, symlinkSync, utimesSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { CacheLayout } from "../../src/cache/layout.js";
import { leasesOn } from "../../src/cache/leases/leases.js";
import { entriesOf } from "../../src/cache/removal/inventory.js";
import { removeEntry } from "../../src/cache/removal/remove-entry.js";
import type { LeaseWish } from "../../src/stage/lease-wish.js";
import { listCache } from "../../src/stage/manage/list-cache.js";
import type { StageOptions } from "../../src/stage/request.js";
import type { StageResult } from "../../src/stage/result.js";
import { isStagedImage } from "../../src/stage/staged-image.js";
import { stageRootfs } from "../../src/stage.js";
import { asUser, giveToUser } from "../support/as-user.js";
import { identityOf } from "../support/identities.js";
import { file } from "../support/layers.js";
import { rejection } from "../support/refusal.js";
import { scratchDirectory } from "../support/scratch-directory.js";
import { archiveFile } from "../support/staged-archive.js";

vi.mock("../../src/extract/workers.js", () => import("../support/same-thread-workers.js"));

interface Site {
  readonly cacheDir: string;
  readonly image: string;
  readonly layout: CacheLayout;
  readonly leases: (key: string) => readonly string[];
  readonly stage: (options?: StageOptions) => Promise<StageResult>;
}

function site(): Site {
  const cacheDir = `${scratchDirectory()}/cache`;
  const image = archiveFile([[file("f", "content")]]);
  const layout = new CacheLayout(cacheDir);
  return {
    cacheDir,
    image,
    layout,
    leases: (key) => leasesOn(layout, key).map(({ name }) => name),
    stage: (options) => stageRootfs(image, { cacheDir, ...options }),
  };
}

describe("an image that is staged, and then found", () => {
  const wishes: readonly (readonly [LeaseWish | undefined, RegExp | null])[] = [
    [undefined, new RegExp(`^process-${process.pid}$`)],
    ["process", new RegExp(`^process-${process.pid}$`)],
    ["caller", new RegExp(`^process-${process.ppid}$`)],
    [{ pid: process.ppid }, new RegExp(`^process-${process.ppid}$`)],
    [{ job: "4711_3" }, /^slurm-4711_3$/],
    [{ seconds: 60 }, /^until-\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/],
    ["none", null],
  ];
  test.each(wishes)("with the lease %j has it", async (lease, shown) => {
    const { layout, stage } = site();
    for (const hit of [false, true]) {
      const result = await stage({ lease });
      expect(result.hit).toBe(hit);
      if (shown) expect(result.lease).toMatch(shown);
      else expect(result.lease).toBeNull();
      const found = leasesOn(layout, result.key);
      if (shown && lease !== undefined) expect(found.length).toBeGreaterThan(0);
      const outcome = await removeEntry(layout, result.key, { now: Date.now() });
      expect(outcome).toBe(shown ? "leased" : "removed");
      if (!shown) await stage({ lease: "none" });
    }
  });

  test("has one lease of each process and job, and one for each time", async () => {
    const { leases, stage } = site();
    for (const lease of ["process", { job: "1" }, { seconds: 5 }] as const) {
      await stage({ lease });
      await stage({ lease });
    }
    const { key } = await stage();
    expect(
      leases(key)
        .map((name) => name.replace(/-.*/, ""))
        .sort(),
    ).toEqual(["job", "process", "until", "until"]);
  });

  test("has the lease of the Slurm job that it is part of", async () => {
    vi.stubEnv("SLURM_JOB_ID", "4711");
    onTestFinished(() => void vi.unstubAllEnvs());
    const { stage } = site();
    expect((await stage({ lease: "job" })).lease).toBe("slurm-4711");
  });

  test("without a lease is dated as used", async () => {
    const { layout, stage } = site();
    const { key } = await stage({ lease: "none" });
    utimesSync(layout.leases(key), 1, 1);
    await stage({ lease: "none" });
    const [entry] = entriesOf(layout, { isDetails: isStagedImage });
    expect(entry?.lastUse).toBeGreaterThan(Date.now() - 60_000);
  });
});

const wrong: readonly (readonly [string, LeaseWish])[] = [
  ["a job where there is none", "job"],
  ["a job of an odd name", { job: "../x" }],
  ["a process that is none", { pid: 0 }],
  ["a process that has ended", { pid: 0x7fffffff }],
  ["no time", { seconds: 0 }],
  ["time that never ends", { seconds: Number.POSITIVE_INFINITY }],
  ["time that is none", { seconds: Number.NaN }],
];
test.each(wrong)("a lease for %s is refused before anything is done", async (_, lease) => {
  vi.stubEnv("SLURM_JOB_ID", undefined);
  onTestFinished(() => void vi.unstubAllEnvs());
  const { layout, stage } = site();
  expect((await rejection(stage({ lease }))).code).toBe("USAGE");
  expect(existsSync(layout.entries)).toBe(false);
});

describe("where no lease can be taken, an image that stands in the cache", () => {
  test("is a hit all the same, with a warning", async () => {
    const { layout, stage } = site();
    const { key } = await stage({ lease: "none" });
    // Not even root gets through this.
    rmdirSync(layout.leases(key));
    symlinkSync(layout.leases(key), layout.leases(key));
    const result = await stage({ lease: { job: "1" } });
    expect(result).toMatchObject({
      hit: true,
      lease: null,
      warnings: [{ code: "LEASE_NOT_TAKEN", count: 1, examples: [] }],
    });
    expect(result.warnings[0]?.message).toMatch(/^cannot take a lease on the entry: /);
    expect(await stage({ lease: "none" })).toMatchObject({ hit: true, lease: null, warnings: [] });
  });
});

test("an entry that goes while it is staged is staged again, under the lease", async () => {
  const { layout, leases, stage } = site();
  const { key } = await stage({ lease: "none" });
  const identity = identityOf(process.ppid);
  const removal = removeEntry(layout, key, { now: Date.now() });
  const [outcome, result] = await Promise.all([removal, stage({ lease: { pid: identity.pid } })]);
  expect(["removed", "leased"]).toContain(outcome);
  expect(result.lease).toBe(`process-${identity.pid}`);
  expect(leases(key)).toHaveLength(1);
  expect(readdirSync(result.rootfs)).toContain("f");
});

describe.runIf(process.geteuid?.() === 0)("in a cache that root shares, a user", () => {
  const sharedSite = () => {
    const found = site();
    for (const path of [found.cacheDir, found.image]) chmodSync(dirname(path), 0o755);
    return found;
  };

  test.each<LeaseWish>([{ pid: process.ppid }, { seconds: 7 * 24 * 3600 }, { job: "4711" }])(
    "who asks for %j gets a lease that root believes",
    async (lease) => {
      const { layout, stage, cacheDir } = sharedSite();
      const { key } = await stage({ lease: "none", shared: true });
      const { hit, lease: shown } = await asUser([], () => stage({ lease }));
      expect(hit).toBe(true);
      const [entry] = listCache({ cacheDir }).entries;
      expect(entry?.leases).toMatchObject([{ lease: shown, protects: true, owner: 65534 }]);
      expect(await removeEntry(layout, key, { now: Date.now() })).toBe("leased");
      if (typeof lease === "object" && "job" in lease) return;
      const end = Date.parse(shown?.replace("until-", "") ?? "");
      expect(end).toBeGreaterThan(Date.now() + 22 * 3600_000);
      expect(end).toBeLessThanOrEqual(Date.now() + 24 * 3600_000);
      const tomorrow = { now: Date.now() + 24 * 3600_000 };
      expect(await removeEntry(layout, key, tomorrow)).toBe("removed");
    },
  );

  test("sees of others' leases which are not believed", async () => {
    const { layout, stage, cacheDir } = sharedSite();
    const { key } = await stage({ shared: true, lease: { pid: process.ppid } });
    giveToUser(leasesOn(layout, key).map(({ name }) => `${layout.leases(key)}/${name}`));
    const [entry] = await asUser([], async () => listCache({ cacheDir }).entries);
    expect(entry?.leases).toMatchObject([{ state: "alive", protects: false }]);
  });
});
