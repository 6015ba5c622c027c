import { existsSync, mkdirSync, readdirSync, renameSync, utimesSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { layerFile } from "../../../src/cache/layer-store.js";
import { leavingFile } from "../../../src/cache/leases/leaving.js";
import { lockOrAdopt } from "../../../src/cache/locks/lock.js";
import { removeLayer } from "../../../src/cache/removal/remove-layer.js";
import { ownIdentity, type ProcessIdentity } from "../../../src/host/process-identity.js";
import { emptyCache, leftovers, type TestCache } from "../../support/cache.js";
import { addLayer, useLayer } from "../../support/cache-content.js";
import { deadIdentities, ownedName } from "../../support/identities.js";

const name = "sha256-def";
const now = Date.now();
const hour = 3600;
const notNeeded = { now, isNeeded: () => false };

async function cacheWithLayer(age = 2 * hour): Promise<TestCache> {
  const cache = emptyCache();
  await addLayer(cache, name, age);
  return cache;
}

/** A staging of some image that began so many seconds ago. */
function stagingSince(cache: TestCache, age: number, owner: ProcessIdentity): void {
  const lock = cache.layout.lock("rootfs-other");
  const file = `${lock}/${ownedName(owner)}`;
  mkdirSync(lock);
  writeFileSync(file, "");
  utimesSync(file, now / 1000 - age, now / 1000 - age);
}

describe("removeLayer", () => {
  test("removes a layer that nobody needs", async () => {
    const cache = await cacheWithLayer();
    expect(await removeLayer(cache.layout, name, notNeeded)).toBe("removed");
    expect(readdirSync(cache.layout.layers)).toEqual([]);
    expect(leftovers(cache)).toEqual([]);
    expect(await removeLayer(cache.layout, name, notNeeded)).toBe("missing");
  });

  test("removes it also where a file stands in the place of a lock", async () => {
    const cache = await cacheWithLayer();
    writeFileSync(cache.layout.lock("rootfs-other"), "");
    writeFileSync(cache.layout.lock(`layer-${name}`), "");
    expect(await removeLayer(cache.layout, name, notNeeded)).toBe("removed");
  });

  test("keeps one that an entry needs, and asks when nobody new can use it", async () => {
    const cache = await cacheWithLayer();
    const isNeeded = () => {
      expect(existsSync(layerFile(cache.layout, name))).toBe(false);
      return true;
    };
    expect(await removeLayer(cache.layout, name, { now, isNeeded })).toBe("needed");
    expect(existsSync(layerFile(cache.layout, name))).toBe(true);
    expect(leftovers(cache)).toEqual([]);
  });

  test.each<readonly [string, number, number | undefined, string]>([
    ["just now", 0, undefined, "fresh"],
    ["half an hour ago", hour / 2, undefined, "fresh"],
    ["two hours ago", 2 * hour, undefined, "removed"],
    ["half an hour ago, where a minute is enough", hour / 2, 60_000, "removed"],
    ["just now, where nothing has to pass", 1, 0, "removed"],
    ["in a few minutes, by the clock", -300, undefined, "fresh"],
    ["in a year, by the clock", -365 * 24 * hour, undefined, "removed"],
  ])("of one that was used %s", async (_, age, grace, outcome) => {
    const cache = await cacheWithLayer(age);
    expect(await removeLayer(cache.layout, name, { ...notNeeded, grace })).toBe(outcome);
    expect(existsSync(layerFile(cache.layout, name))).toBe(outcome !== "removed");
  });

  test("keeps what a staging may have used that is still under way", async () => {
    const cache = await cacheWithLayer(5 * hour);
    stagingSince(cache, 6 * hour, ownIdentity());
    expect(await removeLayer(cache.layout, name, { ...notNeeded, grace: 0 })).toBe("fresh");
    expect(existsSync(layerFile(cache.layout, name))).toBe(true);
  });

  test("removes what was used long before the oldest staging began", async () => {
    const cache = await cacheWithLayer(9 * hour);
    stagingSince(cache, 6 * hour, ownIdentity());
    expect(await removeLayer(cache.layout, name, notNeeded)).toBe("removed");
  });

  test("does not mind stagings of dead processes", async () => {
    const cache = await cacheWithLayer(5 * hour);
    const [dead = ownIdentity()] = Object.values(deadIdentities());
    stagingSince(cache, 6 * hour, dead);
    expect(await removeLayer(cache.layout, name, notNeeded)).toBe("removed");
  });

  test("says busy while the layer is being unpacked", async () => {
    const cache = await cacheWithLayer();
    const holder = await lockOrAdopt(cache.layout.lock(`layer-${name}`), {
      what: "the layer",
      adopt: () => undefined,
    });
    if (holder.kind !== "locked") throw new Error("the lock was free");
    expect(await removeLayer(cache.layout, name, notNeeded)).toBe("busy");
    await holder.release();
    expect(existsSync(layerFile(cache.layout, name))).toBe(true);
  });

  test("removes one that was never whole, and one that a killed process had hidden", async () => {
    const cache = await cacheWithLayer();
    const mark = layerFile(cache.layout, name);
    renameSync(mark, leavingFile(mark));
    mkdirSync(cache.layout.layer("half"));
    expect(await removeLayer(cache.layout, name, notNeeded)).toBe("removed");
    expect(await removeLayer(cache.layout, "half", notNeeded)).toBe("removed");
    expect(readdirSync(cache.layout.layers)).toEqual([]);
  });
});

describe("the layer store", () => {
  test("dates a layer's last use to now when it is used again", async () => {
    const cache = await cacheWithLayer();
    await useLayer(cache, name);
    expect(await removeLayer(cache.layout, name, notNeeded)).toBe("fresh");
  });

  test("uses a layer that a killed process had begun to remove", async () => {
    const cache = await cacheWithLayer();
    const mark = layerFile(cache.layout, name);
    writeFileSync(`${cache.layout.layer(name)}/tree/kept`, "");
    renameSync(mark, leavingFile(mark));
    await useLayer(cache, name);
    expect(readdirSync(`${cache.layout.layer(name)}/tree`).sort()).toEqual(["f", "kept"]);
  });
});
