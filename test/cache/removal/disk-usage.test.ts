import { execFileSync } from "node:child_process";
import { linkSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { layerTree } from "../../../src/cache/layer-store.js";
import { measureDiskUsage } from "../../../src/cache/removal/disk-usage.js";
import { emptyCache, type TestCache } from "../../support/cache.js";
import { addEntry, addLayer } from "../../support/cache-content.js";

const mib = 1024 * 1024;

async function measure({ directory, layout }: TestCache, needed: readonly string[] = []) {
  return await measureDiskUsage(directory, { layout, neededLayers: new Set(needed) });
}

/** A file of the cache, and links to it at other places. */
function fileAt(path: string, links: readonly string[] = []): void {
  writeFileSync(path, Buffer.alloc(mib));
  for (const link of links) linkSync(path, link);
}

test("what a cache takes is counted as du does, and told apart by who has it", async () => {
  const cache = emptyCache();
  const { layout } = cache;
  for (const key of ["a", "b"]) await addEntry(cache, key);
  for (const name of ["needed", "unneeded"]) await addLayer(cache, name);
  const inEntry = (key: string, name: string) => `${layout.entry(key)}/rootfs/${name}`;
  const inLayer = (layer: string, name: string) => `${layerTree(layout, layer)}/${name}`;
  const before = await measure(cache, ["needed"]);
  fileAt(inEntry("a", "own"));
  fileAt(inLayer("needed", "a's"), [inEntry("a", "one"), inEntry("a", "another")]);
  fileAt(inLayer("needed", "both's"), [inEntry("a", "both's"), inEntry("b", "both's")]);
  fileAt(inLayer("needed", "nobody's"), [inLayer("needed", "again")]);
  fileAt(inLayer("unneeded", "more"));
  fileAt(`${layout.tmp}/f`);
  fileAt(layout.blob("f"));
  fileAt(`${layout.locks}/f`);
  const after = await measure(cache, ["needed"]);

  const more = (pick: (usage: typeof after) => { bytes: number; inodes: number } | undefined) => {
    const [now, then] = [pick(after), pick(before)];
    return [(now?.bytes ?? 0) - (then?.bytes ?? 0), (now?.inodes ?? 0) - (then?.inodes ?? 0)];
  };
  const of = (key: string, what: "own" | "shared") => (usage: typeof after) =>
    usage.entries.find((entry) => entry.key === key)?.[what];
  expect(more(of("a", "own"))).toEqual([2 * mib, 2]);
  expect(more(of("b", "own"))).toEqual([0, 0]);
  for (const key of ["a", "b"]) expect(more(of(key, "shared"))).toEqual([mib, 1]);
  for (const name of ["layers", "unneededLayers", "tmp", "blobs", "rest"] as const) {
    expect([name, ...more((usage) => usage[name])]).toEqual([name, mib, 1]);
  }
  expect(more(({ total }) => total)).toEqual([8 * mib, 8]);
  const du = (...args: string[]) =>
    Number(
      execFileSync("du", ["-s", ...args, cache.directory], { encoding: "utf8" }).split("\t")[0],
    );
  expect(after.total).toEqual({ bytes: du("--block-size=1"), inodes: du("--inodes") });
  expect(after.unreadable).toBe(process.geteuid?.() === 0 ? 0 : 2);
});

test("what is not there takes nothing", async () => {
  const cache = emptyCache();
  const nothing = { bytes: 0, inodes: 0 };
  const directory = `${cache.directory}/none`;
  const { CacheLayout } = await import("../../../src/cache/layout.js");
  const usage = await measure({ directory, layout: new CacheLayout(directory) });
  expect(usage).toMatchObject({ entries: [], layers: nothing, total: nothing, unreadable: 0 });
});

test("counting stops when it is told to", async () => {
  const cache = emptyCache();
  const { layout, directory } = cache;
  const signal = AbortSignal.abort(new Error("stop"));
  const options = { layout, neededLayers: new Set<string>(), signal };
  await expect(measureDiskUsage(directory, options)).rejects.toThrow("stop");
});
