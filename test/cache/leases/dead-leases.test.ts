import { execFileSync } from "node:child_process";
import { existsSync, lutimesSync, mkdirSync, readdirSync } from "node:fs";
import { expect, onTestFinished, test } from "vitest";
import {
  deadLeases,
  removeDeadLease,
  removeLeaseDirectories,
} from "../../../src/cache/leases/dead-leases.js";
import { takeLease } from "../../../src/cache/leases/leases.js";
import { entryAt } from "../../../src/cache/removal/inventory.js";
import { emptyCache } from "../../support/cache.js";
import { addEntry, isTestDetails } from "../../support/cache-content.js";
import { deadIdentities, foreignIdentities } from "../../support/identities.js";

test("leases of processes that are gone, and of times that are over, are dead", async () => {
  const cache = emptyCache();
  await addEntry(cache, "k");
  const dead = Object.values(deadIdentities());
  for (const identity of [...dead, ...Object.values(foreignIdentities)]) {
    takeLease(cache.layout, "k", { kind: "process", identity });
  }
  takeLease(cache.layout, "k", { kind: "until", time: 1000, word: "past" });
  takeLease(cache.layout, "k", { kind: "until", time: 9e15 / 2, word: "future" });
  takeLease(cache.layout, "k", { kind: "job", id: "1" });
  const now = Date.now();
  expect([...deadLeases(cache.layout, { now })]).toHaveLength(dead.length + 1);
  const isJobOver = (id: string) => id === "1";
  for (const found of [...deadLeases(cache.layout, { now, isJobOver })]) {
    removeDeadLease(cache.layout, found);
  }
  expect(readdirSync(cache.layout.leases("k"))).toHaveLength(3);
});

test("that a dead lease goes is no use of its entry", async () => {
  const cache = emptyCache();
  await addEntry(cache, "k");
  takeLease(cache.layout, "k", { kind: "until", time: 1000, word: "past" });
  const lastUse = () => entryAt(cache.layout, { key: "k", isDetails: isTestDetails })?.lastUse ?? 0;
  const before = lastUse();
  await new Promise((resolve) => setTimeout(resolve, 20));
  for (const found of deadLeases(cache.layout, { now: Date.now() })) {
    removeDeadLease(cache.layout, found);
  }
  expect(readdirSync(cache.layout.leases("k"))).toEqual([]);
  expect(Math.abs(lastUse() - before)).toBeLessThan(2);
});

test("a dead lease that can't be removed keeps no other from being removed", async (context) => {
  const cache = emptyCache();
  await addEntry(cache, "k");
  for (const word of ["a", "b"]) {
    takeLease(cache.layout, "k", { kind: "until", time: 1000, word });
  }
  const [stays = ""] = readdirSync(cache.layout.leases("k"));
  const fixed = `${cache.layout.leases("k")}/${stays}`;
  try {
    execFileSync("chattr", ["+i", fixed], { stdio: "ignore" });
  } catch {
    context.skip("no file can be made immutable here");
  }
  onTestFinished(() => void execFileSync("chattr", ["-i", fixed]));
  for (const found of [...deadLeases(cache.layout, { now: Date.now() })]) {
    removeDeadLease(cache.layout, found);
  }
  expect(readdirSync(cache.layout.leases("k"))).toEqual([stays]);
});

test("directories for leases go when they are empty, old, and of no entry", async () => {
  const cache = emptyCache();
  await addEntry(cache, "standing");
  for (const key of ["new", "old", "held"]) mkdirSync(cache.layout.leases(key));
  takeLease(cache.layout, "held", { kind: "job", id: "1" });
  const past = Date.now() / 1000 - 7200;
  for (const key of ["standing", "old", "held"]) {
    lutimesSync(cache.layout.leases(key), past, past);
  }
  removeLeaseDirectories(cache.layout, { now: Date.now() });
  const standing = ["standing", "new", "old", "held"].filter((key) => {
    return existsSync(cache.layout.leases(key));
  });
  expect(standing).toEqual(["standing", "new", "held"]);
});
