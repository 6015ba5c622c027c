import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { describe, expect, test } from "vitest";
import { readEntry, rootfsOf } from "../../src/cache/entry.js";
import { ensureLayer, layerTree, readLayer } from "../../src/cache/layer-store.js";
import { ensureRootfs, updateRootfs } from "../../src/cache/rootfs-store.js";
import { isRecord } from "../../src/host/read-json.js";
import { emptyCache, leftovers, type TestCache } from "../support/cache.js";

interface Details {
  readonly text: string;
}

const isDetails = (value: unknown): value is Details =>
  isRecord(value) && typeof value["text"] === "string";

const key = "sha256-abc";

async function staged(cache: TestCache, text = "details") {
  return await ensureRootfs(cache.layout, {
    key,
    isDetails,
    make: async ({ rootfs, scratch }) => {
      writeFileSync(`${rootfs}/f`, text);
      expect(readdirSync(scratch)).toEqual([]);
      return { text };
    },
  });
}

describe("the rootfs store", () => {
  test("publishes a rootfs together with its entry", async () => {
    const cache = emptyCache();
    const made = await staged(cache);
    expect(made).toMatchObject({
      made: true,
      value: { schemaVersion: 1, key, details: { text: "details" } },
    });
    expect(readFileSync(`${rootfsOf(cache.layout, key)}/f`, "utf8")).toBe("details");
    expect(readEntry(cache.layout, { key, isDetails })).toEqual(made.value);
    expect(leftovers(cache)).toEqual([]);
  });

  test("makes an entry once", async () => {
    const cache = emptyCache();
    await staged(cache, "first");
    expect(await staged(cache, "second")).toMatchObject({
      made: false,
      value: { details: { text: "first" } },
    });
  });

  test("takes no rootfs without an entry for one, and replaces it", async () => {
    const cache = emptyCache();
    mkdirSync(rootfsOf(cache.layout, key), { recursive: true });
    writeFileSync(`${rootfsOf(cache.layout, key)}/half`, "");
    expect(await staged(cache)).toMatchObject({ made: true });
    expect(readdirSync(rootfsOf(cache.layout, key))).toEqual(["f"]);
  });

  test.each([
    "",
    "{",
    "null",
    "[]",
    "7",
    '{"schemaVersion":1}',
    `{"schemaVersion":2,"key":"${key}","details":{"text":"t"}}`,
    `{"schemaVersion":"1","key":"${key}","details":{"text":"t"}}`,
    '{"schemaVersion":1,"key":"sha256-other","details":{"text":"t"}}',
    `{"schemaVersion":1,"key":"${key}","details":{"text":7}}`,
    `{"schemaVersion":1,"key":"${key}"}`,
    `{"schemaVersion":1,"key":"${key}","details":null}`,
  ])("takes an entry that reads %j for none, and makes it anew", async (text) => {
    const cache = emptyCache();
    await staged(cache, "old");
    writeFileSync(`${cache.layout.entry(key)}/entry.json`, text);
    expect(readEntry(cache.layout, { key, isDetails })).toBeUndefined();
    expect(await staged(cache, "new")).toMatchObject({ made: true });
    expect(readEntry(cache.layout, { key, isDetails })?.details).toEqual({ text: "new" });
    expect(leftovers(cache)).toEqual([]);
  });

  test("writes entries that others can read, where they may enter the cache, and not change", async () => {
    const cache = emptyCache();
    const before = process.umask(0o77);
    try {
      await staged(cache);
    } finally {
      process.umask(before);
    }
    const modeOf = (path: string) => statSync(path).mode & 0o777;
    expect(modeOf(`${cache.layout.entry(key)}/entry.json`)).toBe(0o644);
    expect(modeOf(cache.layout.entry(key))).toBe(0o755);
    expect(modeOf(`${cache.directory}/v1`)).toBe(0o700);
  });

  test("does not believe an entry that somebody else has planted", async ({ skip }) => {
    skip(process.geteuid?.() !== 0, "only root can give a directory away");
    const cache = emptyCache();
    await staged(cache);
    chownSync(cache.layout.entry(key), 4321, 4321);
    expect(readEntry(cache.layout, { key, isDetails })).toBeUndefined();
    expect((await staged(cache)).made).toBe(true);
    expect(statSync(cache.layout.entry(key)).uid).toBe(0);
  });
});

describe("updateRootfs", () => {
  const change = (rootfs: string, { text }: Details): Details => {
    writeFileSync(`${rootfs}/added`, "");
    return { text: `${text}+` };
  };

  test("changes the rootfs and its entry", async () => {
    const cache = emptyCache();
    await staged(cache);
    const isDone = ({ text }: Details) => text.endsWith("+");
    const updated = await updateRootfs(cache.layout, { key, isDetails, isDone, change });
    expect(updated?.details).toEqual({ text: "details+" });
    expect(readEntry(cache.layout, { key, isDetails })).toEqual(updated);
    expect(readdirSync(rootfsOf(cache.layout, key)).sort()).toEqual(["added", "f"]);
    expect(readdirSync(cache.layout.entry(key)).sort()).toContain("entry.json");
    expect(leftovers(cache)).toEqual([]);
  });

  test("has on record what it is about to do, before it begins", async () => {
    const cache = emptyCache();
    await staged(cache);
    const options = {
      key,
      isDetails,
      isDone: () => false,
      announce: (_: string, { text }: Details) => ({ text: `${text}, planned` }),
      change: (_: string, announced: Details): Details => {
        expect(readEntry(cache.layout, { key, isDetails })?.details).toEqual(announced);
        throw new Error("broken off");
      },
    };
    await expect(updateRootfs(cache.layout, options)).rejects.toThrow("broken off");
    expect(readEntry(cache.layout, { key, isDetails })?.details.text).toBe("details, planned");
  });

  test("does nothing where there is nothing to do", async () => {
    const cache = emptyCache();
    await staged(cache);
    const updated = await updateRootfs(cache.layout, {
      key,
      isDetails,
      isDone: () => true,
      change: () => expect.unreachable(),
    });
    expect(updated?.details).toEqual({ text: "details" });
  });

  test("has nothing to change where the entry is gone", async () => {
    const cache = emptyCache();
    const nothing = { key, isDetails, isDone: () => false, change: () => expect.unreachable() };
    expect(await updateRootfs(cache.layout, nothing)).toBeUndefined();
    expect(leftovers(cache)).toEqual([]);
  });

  test("of two at once changes the rootfs one after the other", async () => {
    const cache = emptyCache();
    await staged(cache);
    const once = { key, isDetails, isDone: () => false, change };
    await Promise.all(Array.from({ length: 5 }, () => updateRootfs(cache.layout, once)));
    expect(readEntry(cache.layout, { key, isDetails })?.details.text).toBe("details+++++");
  });

  test("that fails keeps the entry and gives the lock back", async () => {
    const cache = emptyCache();
    await staged(cache);
    const failing = () => {
      throw new Error("no space");
    };
    const options = { key, isDetails, isDone: () => false, change: failing };
    await expect(updateRootfs(cache.layout, options)).rejects.toThrow("no space");
    expect(readEntry(cache.layout, { key, isDetails })?.details).toEqual({ text: "details" });
    expect(leftovers(cache)).toEqual([]);
  });
});

describe("the layer store", () => {
  const name = "sha256-def";
  const parse = (value: unknown) => (isDetails(value) ? value : undefined);

  async function layer(cache: TestCache, text: string) {
    return await ensureLayer(cache.layout, {
      name,
      parse,
      unpack: async (tree) => {
        expect(readdirSync(tree)).toEqual([]);
        expect(statSync(tree).mode & 0o777).toBe(0o700);
        writeFileSync(`${tree}/f`, text);
        return { text };
      },
    });
  }

  test("publishes a tree together with its record", async () => {
    const cache = emptyCache();
    expect(readLayer(cache.layout, { name, parse })).toBeUndefined();
    expect(await layer(cache, "first")).toMatchObject({ made: true, value: { text: "first" } });
    expect(await layer(cache, "second")).toMatchObject({ made: false, value: { text: "first" } });
    expect(readFileSync(`${layerTree(cache.layout, name)}/f`, "utf8")).toBe("first");
    expect(readLayer(cache.layout, { name, parse })).toEqual({ text: "first" });
    expect(leftovers(cache)).toEqual([]);
  });

  test("unpacks again what has no record, or none that can be used", async () => {
    const cache = emptyCache();
    await layer(cache, "first");
    rmSync(`${cache.layout.layer(name)}/layer.json`);
    expect(await layer(cache, "second")).toMatchObject({ made: true });
    writeFileSync(`${cache.layout.layer(name)}/layer.json`, '{"torn');
    expect(await layer(cache, "third")).toMatchObject({ made: true });
    expect(readFileSync(`${layerTree(cache.layout, name)}/f`, "utf8")).toBe("third");
  });

  test("keeps nothing of a layer that can't be unpacked", async () => {
    const cache = emptyCache();
    const unpack = async (tree: string) => {
      writeFileSync(`${tree}/f`, "part");
      throw new Error("damaged");
    };
    await expect(ensureLayer(cache.layout, { name, parse, unpack })).rejects.toThrow("damaged");
    expect(existsSync(cache.layout.layer(name))).toBe(false);
    expect(leftovers(cache)).toEqual([]);
  });
});
