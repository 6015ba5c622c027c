import {
  chmodSync,
  existsSync,
  lchownSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { describe, expect, test } from "vitest";
import { dropDeadLeases } from "../../../src/cache/leases/drop-dead-leases.js";
import { isProtecting } from "../../../src/cache/leases/lease-life.js";
import { describeLease, type Lease } from "../../../src/cache/leases/lease-name.js";
import {
  leasesOn,
  noteUse,
  releaseLease,
  removeLeases,
  takeLease,
} from "../../../src/cache/leases/leases.js";
import { ownIdentity } from "../../../src/host/process-identity.js";
import { asUser } from "../../support/as-user.js";
import { emptyCache, type TestCache } from "../../support/cache.js";
import { addEntry } from "../../support/cache-content.js";
import { deadIdentities, foreignIdentities } from "../../support/identities.js";
import { scratchDirectory } from "../../support/scratch-directory.js";

const key = "sha256-abc";
const job: Lease = { kind: "job", id: "4711" };
const process1: Lease = { kind: "process", identity: ownIdentity() };

async function cacheWithEntry(): Promise<TestCache> {
  const cache = emptyCache();
  await addEntry(cache, key);
  return cache;
}

const namesOn = ({ layout }: TestCache) => leasesOn(layout, key).map(({ name }) => name);

describe("takeLease", () => {
  test("takes a lease once, however often", async () => {
    const cache = await cacheWithEntry();
    expect(takeLease(cache.layout, key, job)).toBe("taken");
    expect(takeLease(cache.layout, key, job)).toBe("held");
    expect(takeLease(cache.layout, key, process1)).toBe("taken");
    expect(leasesOn(cache.layout, key).map(({ lease }) => lease)).toEqual([job, process1]);
    const [found] = leasesOn(cache.layout, key);
    expect(found).toMatchObject({ owner: process.geteuid?.(), isTrusted: true });
    expect(lstatSync(`${cache.layout.leases(key)}/job-4711`)).toMatchObject({ size: 0 });
  });

  test("again makes a lease young", async () => {
    const cache = await cacheWithEntry();
    takeLease(cache.layout, key, job);
    utimesSync(`${cache.layout.leases(key)}/job-4711`, 1, 1);
    expect(leasesOn(cache.layout, key)[0]?.takenAt).toBe(1000);
    takeLease(cache.layout, key, job);
    expect(leasesOn(cache.layout, key)[0]?.takenAt).toBeGreaterThan(Date.now() - 60_000);
  });

  test("takes none on an entry that is not there", () => {
    const cache = emptyCache();
    expect(takeLease(cache.layout, key, job)).toBe("missing");
    expect(existsSync(cache.layout.leases(key))).toBe(false);
  });

  test("takes one on an entry of an earlier version, which had no directory for leases", async () => {
    const cache = await cacheWithEntry();
    rmdirSync(cache.layout.leases(key));
    expect(takeLease(cache.layout, key, job)).toBe("taken");
    expect(namesOn(cache)).toEqual(["job-4711"]);
  });

  test.each<readonly [string, (path: string) => void]>([
    ["a directory", (path) => mkdirSync(path)],
    ["a link to nothing", (path) => symlinkSync("/nowhere/at/all", path)],
    ["a link to a file", (path) => symlinkSync("/etc/passwd", path)],
  ])("takes one beside %s that has its name, and follows nothing", async (_, make) => {
    const cache = await cacheWithEntry();
    make(`${cache.layout.leases(key)}/job-4711`);
    const before = lstatSync("/etc/passwd").mtimeMs;
    expect(takeLease(cache.layout, key, job)).toBe("taken");
    expect(takeLease(cache.layout, key, job)).toBe("held");
    expect(leasesOn(cache.layout, key).map(({ lease }) => lease)).toEqual([job]);
    expect(lstatSync("/etc/passwd").mtimeMs).toBe(before);
    expect(existsSync("/nowhere")).toBe(false);
  });

  test.runIf(process.geteuid?.() === 0)(
    "takes one beside another user's, and gives that one up alone",
    async () => {
      const cache = await cacheWithEntry();
      const directory = cache.layout.leases(key);
      const theirs = { uid: 4321, name: "job-4711" };
      writeFileSync(`${directory}/${theirs.name}`, "");
      lchownSync(`${directory}/${theirs.name}`, theirs.uid, theirs.uid);
      const spoilt = `${directory}/job-4711~spoilt`;
      writeFileSync(spoilt, "");
      lchownSync(spoilt, theirs.uid, theirs.uid);
      expect(takeLease(cache.layout, key, job)).toBe("taken");
      expect(takeLease(cache.layout, key, job)).toBe("held");
      const found = leasesOn(cache.layout, key);
      expect(found.map(({ lease }) => lease)).toEqual([job, job, job]);
      const [own, ...others] = found.filter(({ isTrusted }) => isTrusted);
      expect([own?.owner, others]).toEqual([0, []]);
      expect(own && releaseLease(cache.layout, key, own)).toBe(true);
      expect(leasesOn(cache.layout, key).map(({ owner }) => owner)).toEqual([4321, 4321]);
    },
  );
});

describe("leasesOn", () => {
  test("leaves out what is no lease", async () => {
    const cache = await cacheWithEntry();
    const directory = cache.layout.leases(key);
    mkdirSync(`${directory}/job-1`);
    symlinkSync("/etc/passwd", `${directory}/job-2`);
    for (const name of ["x", "job-", ".hidden", "process-1", "until-9-", "a b\n"]) {
      writeFileSync(`${directory}/${name}`, "not looked at");
    }
    takeLease(cache.layout, key, job);
    expect(namesOn(cache)).toEqual(["job-4711"]);
  });

  test.each<readonly [string, (path: string) => void]>([
    ["nothing", () => undefined],
    ["a file", (path) => writeFileSync(path, "")],
    ["a link to a directory", (path) => symlinkSync(scratchWithLease(), path)],
  ])("finds none where %s stands for the directory of leases", async (_, make) => {
    const cache = emptyCache();
    make(cache.layout.leases(key));
    expect(leasesOn(cache.layout, key)).toEqual([]);
    expect(releaseLease(cache.layout, key, { name: "job-9" })).toBe(false);
  });

  test("dates a lease by its change where its owner dates it forward", async () => {
    const cache = await cacheWithEntry();
    takeLease(cache.layout, key, job);
    const far = Date.now() / 1000 + 1e6;
    lutimesSync(`${cache.layout.leases(key)}/job-4711`, far, far);
    expect(leasesOn(cache.layout, key)[0]?.takenAt).toBeLessThan(Date.now() + 60_000);
  });
});

function scratchWithLease(): string {
  const directory = scratchDirectory();
  writeFileSync(`${directory}/job-4711`, "");
  return directory;
}

test("a lease is released once", async () => {
  const cache = await cacheWithEntry();
  takeLease(cache.layout, key, job);
  const [found = { name: "" }] = leasesOn(cache.layout, key);
  expect(releaseLease(cache.layout, key, found)).toBe(true);
  expect(releaseLease(cache.layout, key, found)).toBe(false);
  expect(namesOn(cache)).toEqual([]);
});

test("noteUse makes the directory of leases young", async () => {
  const cache = await cacheWithEntry();
  utimesSync(cache.layout.leases(key), 1, 1);
  noteUse(cache.layout, key);
  expect(lstatSync(cache.layout.leases(key)).mtimeMs).toBeGreaterThan(Date.now() - 60_000);
});

describe("removeLeases", () => {
  test("removes leases and garbage, but goes into no directory of others", async () => {
    const cache = await cacheWithEntry();
    const directory = cache.layout.leases(key);
    takeLease(cache.layout, key, job);
    const elsewhere = scratchWithLease();
    symlinkSync(elsewhere, `${directory}/link`);
    mkdirSync(`${directory}/empty`);
    mkdirSync(`${directory}/full/of`, { recursive: true });
    removeLeases(cache.layout, key);
    expect(readdirSync(directory)).toEqual(["full"]);
    expect(readdirSync(elsewhere)).toEqual(["job-4711"]);
    rmSync(`${directory}/full`, { recursive: true });
    removeLeases(cache.layout, key);
    expect(existsSync(directory)).toBe(false);
    removeLeases(cache.layout, key);
  });
});

test("removeLeases unlinks what is a link in place of an entry's leases, and leaves its target", () => {
  const { layout } = emptyCache();
  const elsewhere = scratchWithLease();
  mkdirSync(dirname(layout.leases(key)), { recursive: true });
  symlinkSync(elsewhere, layout.leases(key));
  removeLeases(layout, key);
  expect(existsSync(layout.leases(key))).toBe(false);
  expect(readdirSync(elsewhere)).toEqual(["job-4711"]);
});

test("leases are dropped that nothing can bring back to life", async () => {
  const cache = await cacheWithEntry();
  const foreign = Object.values(foreignIdentities);
  for (const identity of [...Object.values(deadIdentities()), ...foreign, ownIdentity()]) {
    takeLease(cache.layout, key, { kind: "process", identity });
  }
  takeLease(cache.layout, key, { kind: "until", time: Date.now() - 1, word: "over" });
  takeLease(cache.layout, key, { kind: "until", time: Date.now() + 60_000, word: "runs" });
  takeLease(cache.layout, key, job);
  expect(leasesOn(cache.layout, key)).toHaveLength(9);
  dropDeadLeases(cache.layout, key);
  const left = leasesOn(cache.layout, key).map(({ lease }) => lease);
  expect(left.map((lease) => (lease.kind === "process" ? lease.identity : lease.kind))).toEqual(
    expect.arrayContaining([...foreign, ownIdentity(), "until", "job"]),
  );
  expect(left).toHaveLength(5);
});

describe("leases in a directory that can't be read", () => {
  test.runIf(process.geteuid?.() === 0).each(["000", "444", "333"])(
    "for its mode, %s, count as one that never ends, and can be removed",
    async (mode) => {
      const cache = await cacheWithEntry();
      takeLease(cache.layout, key, job);
      const directory = cache.layout.leases(key);
      chmodSync(directory, Number.parseInt(mode, 8));
      const all = [dirname(cache.directory), cache.directory, cache.layout.root];
      all.push(cache.layout.allLeases, directory);
      await asUser(all, async () => {
        const [found, ...others] = leasesOn(cache.layout, key);
        expect(others).toEqual([]);
        expect(found && describeLease(found.lease)).toBe("unreadable");
        const inAThousandYears = { now: Date.now() + 1000 * 365 * 24 * 3600 * 1000 };
        expect(found && isProtecting(found, inAThousandYears)).toBe(true);
        removeLeases(cache.layout, key);
      });
      expect(existsSync(directory)).toBe(false);
    },
  );

  test("but for a file in its place, which gives way to it", async () => {
    const cache = await cacheWithEntry();
    const directory = cache.layout.leases(key);
    rmSync(directory, { recursive: true });
    writeFileSync(directory, "");
    expect(leasesOn(cache.layout, key)).toEqual([]);
    expect(takeLease(cache.layout, key, job)).toBe("taken");
    expect(namesOn(cache)).toEqual(["job-4711"]);
  });

  test("go with a file in its place", async () => {
    const cache = await cacheWithEntry();
    const directory = cache.layout.leases(key);
    rmSync(directory, { recursive: true });
    writeFileSync(directory, "");
    removeLeases(cache.layout, key);
    expect(existsSync(directory)).toBe(false);
  });
});
