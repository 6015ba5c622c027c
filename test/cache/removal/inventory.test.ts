import { mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { CacheLayout } from "../../../src/cache/layout.js";
import { takeLease } from "../../../src/cache/leases/leases.js";
import { entriesOf, layersOf } from "../../../src/cache/removal/inventory.js";
import { NeededLayers } from "../../../src/cache/removal/needed-layers.js";
import { emptyCache, type TestCache } from "../../support/cache.js";
import { addEntry, addLayer, isTestDetails } from "../../support/cache-content.js";
import { scratchDirectory } from "../../support/scratch-directory.js";

const entries = ({ layout }: TestCache) => [...entriesOf(layout, { isDetails: isTestDetails })];
const minute = 60_000;

describe("the entries of a cache", () => {
  test("are none where there is no cache", () => {
    const layout = new CacheLayout(`${scratchDirectory()}/none`);
    expect([...entriesOf(layout, { isDetails: isTestDetails })]).toEqual([]);
    expect([...layersOf(layout)]).toEqual([]);
  });

  test("come with what they are and how they are used", async () => {
    const cache = emptyCache();
    await addEntry(cache, "a", ["one"]);
    takeLease(cache.layout, "a", { kind: "job", id: "7" });
    const [entry, ...more] = entries(cache);
    expect(more).toEqual([]);
    expect(entry).toMatchObject({
      key: "a",
      details: { layers: ["one"] },
      path: cache.layout.entry("a"),
      leases: [{ name: "job-7" }],
    });
    for (const time of [entry?.stagedAt, entry?.lastUse]) {
      expect(Math.abs(Date.now() - (time ?? 0))).toBeLessThan(minute);
    }
  });

  test("leave out what is no entry", async () => {
    const cache = emptyCache();
    const { entries: directory } = cache.layout;
    await addEntry(cache, "a");
    mkdirSync(`${directory}/empty`);
    writeFileSync(`${directory}/file`, "");
    symlinkSync("/nowhere", `${directory}/link`);
    mkdirSync(`${directory}/torn`);
    writeFileSync(`${directory}/torn/entry.json`, "{");
    mkdirSync(`${directory}/other`);
    writeFileSync(`${directory}/other/entry.json`, '{"schemaVersion":1,"key":"a","details":{}}');
    expect(entries(cache).map(({ key }) => key)).toEqual(["a"]);
  });

  test("include one that a killed process had begun to remove", async () => {
    const cache = emptyCache();
    await addEntry(cache, "a");
    const mark = `${cache.layout.entry("a")}/entry.json`;
    renameSync(mark, `${mark}.leaving`);
    expect(entries(cache).map(({ key }) => key)).toEqual(["a"]);
  });

  test("were used last when a lease was taken or given up, or else staged", async () => {
    const cache = emptyCache();
    await addEntry(cache, "a");
    const record = `${cache.layout.entry("a")}/entry.json`;
    writeFileSync(record, '{"schemaVersion":1,"key":"a","stagedAt":5000,"details":{"layers":[]}}');
    const leases = cache.layout.leases("a");
    takeLease(cache.layout, "a", { kind: "job", id: "7" });
    utimesSync(`${leases}/job-7`, 7, 7);
    utimesSync(leases, 8, 8);
    expect(entries(cache)[0]).toMatchObject({ stagedAt: 5000, lastUse: 8000 });
    utimesSync(`${leases}/job-7`, 9, 9);
    expect(entries(cache)[0]).toMatchObject({ stagedAt: 5000, lastUse: 9000 });
    rmSync(leases, { recursive: true });
    expect(entries(cache)[0]).toMatchObject({ stagedAt: 5000, lastUse: 5000, leases: [] });
  });

  test("of earlier versions were staged when their record was written", async () => {
    const cache = emptyCache();
    await addEntry(cache, "a");
    const record = `${cache.layout.entry("a")}/entry.json`;
    writeFileSync(record, '{"schemaVersion":1,"key":"a","details":{"layers":[]}}');
    utimesSync(record, 5, 5);
    expect(entries(cache)[0]).toMatchObject({ stagedAt: 5000 });
  });
});

describe("the layers of a cache", () => {
  test("come with their sizes and times", async () => {
    const cache = emptyCache();
    await addLayer(cache, "one", 3600);
    mkdirSync(cache.layout.layer("empty"));
    writeFileSync(cache.layout.layer("file"), "");
    const [layer, ...more] = layersOf(cache.layout);
    expect(more).toEqual([]);
    expect(layer).toMatchObject({
      name: "one",
      path: cache.layout.layer("one"),
      bytes: 3,
      inodes: 1,
    });
    expect(Math.abs(Date.now() - 60 * minute - (layer?.lastUse ?? 0))).toBeLessThan(minute);
  });

  test("have no sizes where the record says none", async () => {
    const cache = emptyCache();
    await addLayer(cache, "one");
    writeFileSync(`${cache.layout.layer("one")}/layer.json`, '{"unpackedSize":"much"}');
    expect([...layersOf(cache.layout)]).toMatchObject([{ bytes: undefined, inodes: undefined }]);
  });

  test("include one that a killed process had begun to remove", async () => {
    const cache = emptyCache();
    await addLayer(cache, "one");
    const mark = `${cache.layout.layer("one")}/layer.json`;
    renameSync(mark, `${mark}.leaving`);
    expect([...layersOf(cache.layout)]).toMatchObject([{ name: "one", bytes: 3 }]);
  });
});

test("a layer is needed as long as an entry stands that was made of it", async () => {
  const cache = emptyCache();
  const needed = new NeededLayers(cache.layout, {
    isDetails: isTestDetails,
    namesOf: (_, { layers }) => layers,
  });
  expect(needed.isNeeded("one")).toBe(false);
  await addEntry(cache, "a", ["one", "two"]);
  expect([needed.isNeeded("one"), needed.isNeeded("three")]).toEqual([true, false]);
  await addEntry(cache, "b", ["two", "three"]);
  renameSync(cache.layout.entry("a"), `${cache.layout.tmp}/a`);
  expect(["one", "two", "three"].map((name) => needed.isNeeded(name))).toEqual([false, true, true]);
});
