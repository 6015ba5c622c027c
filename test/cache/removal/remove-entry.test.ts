import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { describe, expect, test } from "vitest";
import { entryFile, readEntry } from "../../../src/cache/entry.js";
import type { Lease } from "../../../src/cache/leases/lease-name.js";
import { takeLease } from "../../../src/cache/leases/leases.js";
import { leavingFile } from "../../../src/cache/leases/leaving.js";
import { lockOrAdopt } from "../../../src/cache/locks/lock.js";
import { removeEntry } from "../../../src/cache/removal/remove-entry.js";
import { ensureRootfs, updateRootfs } from "../../../src/cache/rootfs-store.js";
import { ownIdentity } from "../../../src/host/process-identity.js";
import { emptyCache, leftovers, type TestCache } from "../../support/cache.js";
import { addEntry, isTestDetails } from "../../support/cache-content.js";
import { deadIdentities, ownedName } from "../../support/identities.js";

const key = "sha256-abc";
const living: Lease = { kind: "process", identity: ownIdentity() };
const now = Date.now();

async function cacheWithEntry(): Promise<TestCache> {
  const cache = emptyCache();
  await addEntry(cache, key);
  return cache;
}

const contentOf = ({ layout }: TestCache) => readFileSync(`${layout.entry(key)}/rootfs/f`, "utf8");

function beginToRemove({ layout }: TestCache): void {
  const mark = entryFile(layout.entry(key));
  renameSync(mark, leavingFile(mark));
}

describe("removeEntry", () => {
  test("removes an entry with its leases, also where directories are closed", async () => {
    const cache = await cacheWithEntry();
    for (const identity of Object.values(deadIdentities())) {
      takeLease(cache.layout, key, { kind: "process", identity });
    }
    takeLease(cache.layout, key, { kind: "until", time: now - 1, word: "x" });
    expect(await removeEntry(cache.layout, key, { now })).toBe("removed");
    expect(existsSync(cache.layout.entry(key))).toBe(false);
    expect(existsSync(cache.layout.leases(key))).toBe(false);
    expect(leftovers(cache)).toEqual([]);
    expect(await removeEntry(cache.layout, key, { now })).toBe("missing");
  });

  test.each(["elsewhere", "nowhere"])("unlinks a link in an entry's place to %s", async (place) => {
    const cache = await cacheWithEntry();
    const target = `${cache.layout.root}/../elsewhere`;
    renameSync(cache.layout.entry(key), target);
    symlinkSync(`${cache.layout.root}/../${place}`, cache.layout.entry(key));
    expect(await removeEntry(cache.layout, key, { now })).toBe("removed");
    expect(readdirSync(cache.layout.entries)).toEqual([]);
    expect(readdirSync(target).sort()).toEqual(expect.arrayContaining(["entry.json", "rootfs"]));
    expect(leftovers(cache)).toEqual([]);
  });

  test.each<readonly [string, Lease]>([
    ["a process that lives", living],
    ["a job", { kind: "job", id: "1" }],
    ["a time to come", { kind: "until", time: now + 1000, word: "x" }],
  ])("leaves an entry alone that is leased for %s", async (_, lease) => {
    const cache = await cacheWithEntry();
    takeLease(cache.layout, key, lease);
    expect(await removeEntry(cache.layout, key, { now })).toBe("leased");
    expect(contentOf(cache)).toBe(key);
    expect(readEntry(cache.layout, { key, isDetails: isTestDetails })).toBeDefined();
    expect(leftovers(cache)).toEqual([]);
    expect(await removeEntry(cache.layout, key, { now, force: true })).toBe("removed");
    expect(existsSync(cache.layout.entry(key))).toBe(false);
  });

  test("leaves alone, and shows again, a leased entry that a killed process had hidden", async () => {
    const cache = await cacheWithEntry();
    takeLease(cache.layout, key, living);
    beginToRemove(cache);
    expect(await removeEntry(cache.layout, key, { now })).toBe("leased");
    expect(readEntry(cache.layout, { key, isDetails: isTestDetails })).toBeDefined();
  });

  test("removes an entry that a killed process had hidden", async () => {
    const cache = await cacheWithEntry();
    beginToRemove(cache);
    expect(await removeEntry(cache.layout, key, { now })).toBe("removed");
    expect(readdirSync(cache.layout.entries)).toEqual([]);
  });

  test("removes what has no mark of completeness", async () => {
    const cache = emptyCache();
    mkdirSync(`${cache.layout.entry(key)}/rootfs`, { recursive: true });
    writeFileSync(`${cache.layout.entry(key)}/rootfs/f`, "");
    expect(await removeEntry(cache.layout, key, { now })).toBe("removed");
    expect(readdirSync(cache.layout.entries)).toEqual([]);
  });

  test("says busy where somebody makes or changes the entry, and takes it when that ends", async () => {
    const cache = await cacheWithEntry();
    const holder = await lockOrAdopt(cache.layout.lock(`rootfs-${key}`), {
      what: "the image",
      adopt: () => undefined,
    });
    if (holder.kind !== "locked") throw new Error("the lock was free");
    expect(await removeEntry(cache.layout, key, { now })).toBe("busy");
    expect(await removeEntry(cache.layout, key, { now, wait: 0.05 })).toBe("busy");
    expect(contentOf(cache)).toBe(key);
    const waited: unknown[] = [];
    const removal = removeEntry(cache.layout, key, {
      now,
      wait: 60,
      onWait: (owner) => waited.push(owner?.pid),
    });
    await new Promise((resolve) => setTimeout(resolve, 30));
    await holder.release();
    expect(await removal).toBe("removed");
    expect(waited).toEqual([process.pid]);
  });

  test("is not kept by a dead process's lock", async () => {
    const cache = await cacheWithEntry();
    const [dead = ownIdentity()] = Object.values(deadIdentities());
    const lock = cache.layout.lock(`rootfs-${key}`);
    mkdirSync(lock);
    writeFileSync(`${lock}/${ownedName(dead)}`, "");
    expect(await removeEntry(cache.layout, key, { now })).toBe("removed");
    expect(leftovers(cache)).toEqual([]);
  });
});

describe("an entry that a killed process had begun to remove", () => {
  test("is a hit for the next staging", async () => {
    const cache = await cacheWithEntry();
    beginToRemove(cache);
    const { made } = await ensureRootfs(cache.layout, {
      key,
      isDetails: isTestDetails,
      make: () => expect.unreachable(),
    });
    expect(made).toBe(false);
    expect(readdirSync(cache.layout.entry(key)).sort()).toContain("entry.json");
    expect(contentOf(cache)).toBe(key);
  });

  test("gets the mount points that are added to it", async () => {
    const cache = await cacheWithEntry();
    beginToRemove(cache);
    let changes = 0;
    const options = {
      key,
      isDetails: isTestDetails,
      isDone: () => false,
      change: () => ({ layers: [`changed ${++changes}`] }),
    };
    // While it is hidden there is nothing to change, as after it is removed.
    expect(await updateRootfs(cache.layout, options)).toBeUndefined();
    await addEntry(cache, key);
    expect((await updateRootfs(cache.layout, options))?.details).toEqual({ layers: ["changed 1"] });
  });
});
