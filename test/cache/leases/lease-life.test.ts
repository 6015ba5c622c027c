import { chownSync, utimesSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { isAlive, isProtecting, livingLeases } from "../../../src/cache/leases/lease-life.js";
import { formatLease, type Lease } from "../../../src/cache/leases/lease-name.js";
import type { FoundLease } from "../../../src/cache/leases/leases.js";
import { ownIdentity } from "../../../src/host/process-identity.js";
import { emptyCache } from "../../support/cache.js";
import { addEntry } from "../../support/cache-content.js";
import { deadIdentities, foreignIdentities, identityOf } from "../../support/identities.js";

const now = Date.now();
const hour = 3600_000;
const day = 24 * hour;
const until = (time: number): Lease => ({ kind: "until", time, word: "x" });
const job: Lease = { kind: "job", id: "4711" };
const ofProcess = (identity: ReturnType<typeof ownIdentity>): Lease => {
  return { kind: "process", identity };
};

describe("a lease", () => {
  test("until a time lives until then", () => {
    expect(isAlive(until(now + 1), { now })).toBe("alive");
    expect(isAlive(until(now), { now })).toBe("dead");
    expect(isAlive(until(0), { now })).toBe("dead");
  });

  test("of a job is for Slurm to judge", () => {
    expect(isAlive(job, { now })).toBe("unknown");
  });

  test("of a process lives with it", () => {
    expect(isAlive(ofProcess(ownIdentity()), { now })).toBe("alive");
    expect(isAlive(ofProcess(identityOf(process.ppid)), { now })).toBe("alive");
  });

  test.each(Object.entries(deadIdentities()))("of %s is dead", (_, identity) => {
    expect(isAlive(ofProcess(identity), { now })).toBe("dead");
  });

  test.each(Object.entries(foreignIdentities))("of %s can't be judged", (_, identity) => {
    expect(isAlive(ofProcess(identity), { now })).toBe("unknown");
  });
});

describe("a lease of a user whom nothing obliges to tell the truth", () => {
  const uid = process.geteuid?.() ?? 0;
  const found = (lease: Lease, changes: Partial<FoundLease> = {}): FoundLease => {
    const name = formatLease(lease);
    return { name, lease, takenAt: now, owner: uid + 1, isTrusted: false, ...changes };
  };
  const [elsewhere = ownIdentity()] = Object.values(foreignIdentities);

  test.each<readonly [string, FoundLease, boolean]>([
    ["of a process of theirs counts", found(ofProcess(ownIdentity()), { owner: uid }), true],
    ["of another user's process does not", found(ofProcess(ownIdentity())), false],
    ["of a process elsewhere counts", found(ofProcess(elsewhere)), true],
    [
      "of one elsewhere, not after a day",
      found(ofProcess(elsewhere), { takenAt: now - day }),
      false,
    ],
    ["until tomorrow counts", found(until(now + day)), true],
    [
      "until next year does not after a day",
      found(until(now + 365 * day), { takenAt: now - day }),
      false,
    ],
    ["until an hour ago does not", found(until(now - hour)), false],
    ["of a job counts", found(job, { takenAt: now - 29 * day }), true],
    ["of a job does not after 30 days", found(job, { takenAt: now - 30 * day }), false],
    ["that is trusted counts as it says", found(job, { isTrusted: true, takenAt: 0 }), true],
  ])("%s", (_, lease, expected) => {
    expect(isProtecting(lease, { now })).toBe(expected);
  });
});

test.runIf(process.geteuid?.() === 0)(
  "of leases in a directory that all can add to, those count that can be believed",
  async () => {
    const cache = emptyCache();
    await addEntry(cache, "k");
    const add = (lease: Lease, owner: number, age = 0) => {
      const path = `${cache.layout.leases("k")}/${formatLease(lease)}`;
      writeFileSync(path, "");
      chownSync(path, owner, owner);
      utimesSync(path, (now - age) / 1000, (now - age) / 1000);
    };
    add(ofProcess(ownIdentity()), 1000);
    add(until(now + 100 * day), 1000, 2 * day);
    expect(livingLeases(cache.layout, "k", { now })).toEqual([]);
    add({ kind: "job", id: "1" }, 1000);
    add({ kind: "job", id: "2" }, 0, 100 * day);
    expect(livingLeases(cache.layout, "k", { now }).map(({ name }) => name)).toEqual([
      "job-1",
      "job-2",
    ]);
  },
);
