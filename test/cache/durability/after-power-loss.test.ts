import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { beforeEach, describe, expect, test, vi } from "vitest";
import type { Durability } from "../../../src/cache/durability/make-durable.js";
import { readEntry, rootfsOf } from "../../../src/cache/entry.js";
import { ensureLayer, hasLayer, layerTree, readLayer } from "../../../src/cache/layer-store.js";
import { ensureRootfs, updateRootfs } from "../../../src/cache/rootfs-store.js";
import { bootId } from "../../../src/host/process-identity.js";
import { isRecord } from "../../../src/host/read-json.js";
import { fsyncPath, isInMemory } from "../../../src/host/sync-file-system.js";
import { emptyCache, leftovers, type TestCache } from "../../support/cache.js";
import { withSync } from "../../support/fake-sync.js";

vi.mock("../../../src/host/process-identity.js", { spy: true });
vi.mock("../../../src/host/sync-file-system.js", { spy: true });

const boots = ["00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"];

beforeEach(() => {
  vi.mocked(bootId).mockReturnValue(boots[0] ?? "");
  vi.mocked(isInMemory).mockReturnValue(false);
});

function powerFails(): void {
  vi.mocked(bootId).mockReturnValue(boots[1] ?? "");
}

const durability: Durability = { onDoubt: () => expect.unreachable() };
const key = "sha256-abc";
const name = "sha256-layer";
const parse = (value: unknown) => (isRecord(value) ? value : undefined);
const isDetails = (value: unknown): value is { text: string } =>
  isRecord(value) && typeof value["text"] === "string";

async function stageLayer(cache: TestCache, text: string) {
  const unpack = async (tree: string) => {
    writeFileSync(`${tree}/f`, text);
    return { text };
  };
  return await ensureLayer(cache.layout, { name, parse, unpack });
}

async function stageImage(cache: TestCache, options: { text: string; durability?: Durability }) {
  const make = async ({ rootfs }: { rootfs: string }) => {
    writeFileSync(`${rootfs}/f`, options.text);
    return { text: options.text };
  };
  return await ensureRootfs(cache.layout, {
    key,
    isDetails,
    make,
    durability: options.durability,
  });
}

describe("after power loss", () => {
  test("an image that was on the disk is there, with its layers", async () => {
    const cache = emptyCache();
    await stageLayer(cache, "layer");
    const { value } = await stageImage(cache, { text: "image", durability });
    powerFails();
    expect(readEntry(cache.layout, { key, isDetails })).toEqual(value);
    expect(hasLayer(cache.layout, name)).toBe(true);
    expect(readLayer(cache.layout, { name, parse })).toEqual({ text: "layer" });
  });

  test("an image that may not have been on the disk is made again", async () => {
    const cache = emptyCache();
    await stageImage(cache, { text: "before" });
    expect(await stageImage(cache, { text: "again" })).toMatchObject({ made: false });
    powerFails();
    expect(readEntry(cache.layout, { key, isDetails })).toBeUndefined();
    expect(await stageImage(cache, { text: "after", durability })).toMatchObject({ made: true });
    expect(readFileSync(`${rootfsOf(cache.layout, key)}/f`, "utf8")).toBe("after");
    expect(leftovers(cache)).toEqual([]);
  });

  test("so is a layer", async () => {
    const cache = emptyCache();
    await stageLayer(cache, "before");
    expect(await stageLayer(cache, "again")).toMatchObject({ made: false });
    powerFails();
    expect(hasLayer(cache.layout, name)).toBe(false);
    expect(readLayer(cache.layout, { name, parse })).toBeUndefined();
    expect(await stageLayer(cache, "after")).toMatchObject({ made: true });
    expect(readFileSync(`${layerTree(cache.layout, name)}/f`, "utf8")).toBe("after");
  });

  test.each([
    ["with fsync there", durability, { text: "changed" }],
    ["without fsync made again", undefined, undefined],
  ])("an image that was changed is %s", async (_, given, expected) => {
    const cache = emptyCache();
    await stageImage(cache, { text: "image", durability });
    const change = () => ({ text: "changed" });
    const isDone = ({ text }: { text: string }) => text === "changed";
    await updateRootfs(cache.layout, { key, isDetails, isDone, change, durability: given });
    expect(readEntry(cache.layout, { key, isDetails })?.details).toEqual({ text: "changed" });
    powerFails();
    expect(readEntry(cache.layout, { key, isDetails })?.details).toEqual(expected);
  });

  test("an image is not believed whatever of a change reached the disk", async () => {
    const cache = emptyCache();
    await stageImage(cache, { text: "image", durability });
    const directory = cache.layout.entry(key);
    const isDurable = () => readdirSync(directory).includes("durable");
    const onDisk: boolean[] = [];
    vi.mocked(fsyncPath).mockImplementation((path) => {
      if (path === directory) onDisk.push(isDurable());
    });
    const change = () => {
      expect(onDisk).toEqual([false]);
      return { text: "changed" };
    };
    await updateRootfs(cache.layout, { key, isDetails, isDone: () => false, change });
    expect(onDisk).toEqual([false]);
  });

  test("nothing is published when the disk refuses to write it", async () => {
    const cache = emptyCache();
    withSync("echo 'sync: error syncing: Input/output error' >&2; exit 1");
    await expect(stageImage(cache, { text: "image", durability })).rejects.toMatchObject({
      code: "NOT_WRITABLE",
    });
    vi.unstubAllEnvs();
    expect(readEntry(cache.layout, { key, isDetails })).toBeUndefined();
    expect(leftovers(cache)).toEqual([]);
  });
});
