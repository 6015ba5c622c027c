import { describe, expect, test } from "vitest";
import { believableLease } from "../../../src/cache/leases/believable-lease.js";
import { formatLease, type Lease } from "../../../src/cache/leases/lease-name.js";
import { ownIdentity } from "../../../src/host/process-identity.js";

const hour = 3600_000;
const now = Date.UTC(2026, 10, 22, 16, 20);
const uid = (process.geteuid?.() ?? 0) + 1000;
const ofProcess: Lease = { kind: "process", identity: ownIdentity() };
const job: Lease = { kind: "job", id: "4711" };
const until = (time: number): Lease => ({ kind: "until", time, word: "x" });

describe("the lease of a user in another's cache", () => {
  const taker = { uid, cacheOwner: uid + 1, now };
  test.each<readonly [string, Lease, Lease]>([
    ["on a job stays", job, job],
    ["on a time within a day stays", until(now + 24 * hour), until(now + 24 * hour)],
    ["on a longer time ends after a day", until(now + 25 * hour), until(now + 24 * hour)],
    [
      "on another's process is a time",
      ofProcess,
      { kind: "until", time: Date.UTC(2026, 10, 23, 16), word: `user-${uid}` },
    ],
  ])("%s", (_, lease, expected) => {
    expect(believableLease(lease, taker)).toEqual(expected);
  });

  test("on a process of the user's own stays", () => {
    const own = { uid: process.geteuid?.() ?? 0, cacheOwner: uid, now };
    expect(believableLease(ofProcess, own)).toBe(ofProcess);
  });

  test("is one and the same for all who ask within an hour", () => {
    const names = [now, now + hour / 2, now + hour].map((time) => {
      return formatLease(believableLease(ofProcess, { ...taker, now: time }));
    });
    expect(names[1]).toBe(names[0]);
    expect(names[2]).not.toBe(names[0]);
  });
});

test.each([
  ["the cache's owner", { uid, cacheOwner: uid, now }],
  ["root", { uid: 0, cacheOwner: uid, now }],
])("a lease of %s stays as it is", (_, taker) => {
  for (const lease of [job, ofProcess, until(now + 999 * hour)]) {
    expect(believableLease(lease, taker)).toBe(lease);
  }
});
