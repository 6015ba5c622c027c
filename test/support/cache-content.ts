import { chmodSync, mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { ensureLayer, layerFile } from "../../src/cache/layer-store.js";
import { ensureRootfs } from "../../src/cache/rootfs-store.js";
import { isRecord } from "../../src/host/read-json.js";
import type { TestCache } from "./cache.js";

/** The details of entries in tests of the cache. */
export interface TestDetails {
  readonly layers: readonly string[];
}

export function isTestDetails(value: unknown): value is TestDetails {
  return isRecord(value) && Array.isArray(value["layers"]);
}

/** Puts an entry into a cache whose rootfs has a file `f` and directories that can't be entered. */
export async function addEntry(
  { layout }: TestCache,
  key: string,
  layers: readonly string[] = [],
): Promise<void> {
  await ensureRootfs(layout, {
    key,
    isDetails: isTestDetails,
    make: async ({ rootfs }) => {
      writeFileSync(`${rootfs}/f`, key);
      mkdirSync(`${rootfs}/closed/sealed`, { recursive: true });
      writeFileSync(`${rootfs}/closed/sealed/f`, "");
      chmodSync(`${rootfs}/closed/sealed`, 0o000);
      chmodSync(`${rootfs}/closed`, 0o555);
      return { layers };
    },
  });
}

/** Puts a layer into a cache, or uses the one that is there. */
export async function useLayer({ layout }: TestCache, name: string): Promise<void> {
  await ensureLayer(layout, {
    name,
    parse: (value) => (isRecord(value) ? value : undefined),
    unpack: async (tree) => {
      writeFileSync(`${tree}/f`, name);
      return { unpackedSize: name.length, entries: 1 };
    },
  });
}

/** Puts a layer into a cache that was used last so many seconds ago. */
export async function addLayer(cache: TestCache, name: string, age = 0): Promise<void> {
  await useLayer(cache, name);
  const time = Date.now() / 1000 - age;
  utimesSync(layerFile(cache.layout, name), time, time);
}
