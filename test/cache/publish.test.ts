import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { type PublishOptions, readOrPublish } from "../../src/cache/publish.js";
import { StageError } from "../../src/errors.js";
import { asUser } from "../support/as-user.js";
import { emptyCache, leftovers, type TestCache } from "../support/cache.js";
import { deadIdentities, ownedName } from "../support/identities.js";
import { scratchDirectory } from "../support/scratch-directory.js";

/** How a test publishes a directory that holds one file, `value`. */
function publishing(cache: TestCache, changes: Partial<PublishOptions<string>> = {}) {
  const path = cache.layout.layer("thing");
  return readOrPublish(cache.layout, {
    what: "the thing",
    lock: "layer-thing",
    path,
    read: () => readIfAny(`${path}/value`),
    make: async (directory) => makeValue(directory, "made"),
    ...changes,
  });
}

function readIfAny(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, "utf8") : undefined;
}

function makeValue(directory: string, value: string): string {
  writeFileSync(`${directory}/value`, value);
  return value;
}

describe("readOrPublish", () => {
  test.each<[string, (path: string) => void]>([
    ["a file", (path) => writeFileSync(path, "")],
    ["a link to nothing", (path) => symlinkSync("nowhere", path)],
    ["a link to a directory", (path) => symlinkSync(scratchDirectory(), path)],
    [
      "a directory that can't be entered",
      (path) => {
        mkdirSync(`${path}/x/y`, { recursive: true });
        chmodSync(`${path}/x`, 0);
        chmodSync(path, 0);
      },
    ],
  ])("puts what it makes in the place of %s", async (_, obstruct) => {
    const cache = emptyCache();
    const path = cache.layout.layer("thing");
    obstruct(path);
    expect(await publishing(cache)).toMatchObject({ value: "made", made: true });
    expect(lstatSync(path).isDirectory()).toBe(true);
    expect(leftovers(cache)).toEqual([]);
  });

  test.runIf(process.geteuid?.() === 0)(
    "puts it in the place of a directory that its own user can't enter",
    async () => {
      const cache = emptyCache();
      const { root, layers, tmp, locks } = cache.layout;
      const path = cache.layout.layer("thing");
      mkdirSync(path);
      writeFileSync(`${path}/f`, "");
      chmodSync(path, 0);
      const all = [dirname(cache.directory), cache.directory, root, layers, tmp, locks, path];
      expect(await asUser(all, async () => publishing(cache))).toMatchObject({ made: true });
      expect(leftovers(cache)).toEqual([]);
    },
  );

  test("makes what is missing, and leaves nothing under way", async () => {
    const cache = emptyCache();
    expect(await publishing(cache)).toEqual({ value: "made", made: true, waitedMs: 0 });
    expect(readFileSync(`${cache.layout.layer("thing")}/value`, "utf8")).toBe("made");
    expect(leftovers(cache)).toEqual([]);
  });

  test("reads what is there and makes nothing", async () => {
    const cache = emptyCache();
    await publishing(cache);
    const make = () => expect.unreachable();
    expect(await publishing(cache, { make })).toMatchObject({ value: "made", made: false });
  });

  test("reads what was made just before it got the lock", async () => {
    const cache = emptyCache();
    let looks = 0;
    const read = () => (++looks === 1 ? undefined : "of another");
    const make = () => expect.unreachable();
    expect(await publishing(cache, { read, make })).toMatchObject({
      value: "of another",
      made: false,
    });
    expect(leftovers(cache)).toEqual([]);
  });

  test("shows nothing at its place before it is whole", async () => {
    const cache = emptyCache();
    await publishing(cache, {
      make: async (directory) => {
        expect(readdirSync(directory)).toEqual([]);
        writeFileSync(`${directory}/part`, "");
        await sleep(5);
        expect(existsSync(cache.layout.layer("thing"))).toBe(false);
        return makeValue(directory, "made");
      },
    });
    expect(readdirSync(cache.layout.layer("thing")).sort()).toEqual(["part", "value"]);
  });

  test("of many at once lets one make it, and all have it", async () => {
    const cache = emptyCache();
    let count = 0;
    const make = async (directory: string) => {
      count++;
      await sleep(30);
      return makeValue(directory, "made once");
    };
    const all = await Promise.all(Array.from({ length: 20 }, () => publishing(cache, { make })));
    expect(count).toBe(1);
    expect(new Set(all.map(({ value }) => value))).toEqual(new Set(["made once"]));
    expect(all.filter(({ made }) => made)).toHaveLength(1);
    expect(leftovers(cache)).toEqual([]);
  });

  test("that fails leaves nothing, lets the next one try, and says why", async () => {
    const cache = emptyCache();
    const failure = new StageError("IMAGE_INVALID", "broken");
    const make = async (directory: string) => {
      mkdirSync(`${directory}/a/b`, { recursive: true });
      makeValue(directory, "part");
      throw failure;
    };
    await expect(publishing(cache, { make })).rejects.toBe(failure);
    expect(leftovers(cache)).toEqual([]);
    expect(existsSync(cache.layout.layer("thing"))).toBe(false);
    expect(await publishing(cache)).toMatchObject({ value: "made", made: true });
  });

  test("that is aborted while it makes publishes nothing", async () => {
    const cache = emptyCache();
    const controller = new AbortController();
    const make = async (directory: string) => {
      controller.abort(new Error("stop"));
      return makeValue(directory, "late");
    };
    await expect(publishing(cache, { make, signal: controller.signal })).rejects.toThrow("stop");
    expect(existsSync(cache.layout.layer("thing"))).toBe(false);
    expect(leftovers(cache)).toEqual([]);
  });

  test("adopts what another has published although it did not hold the lock", async () => {
    const cache = emptyCache();
    const path = cache.layout.layer("thing");
    const make = async (directory: string) => {
      mkdirSync(path);
      makeValue(path, "of the other");
      return makeValue(directory, "mine");
    };
    expect(await publishing(cache, { make })).toMatchObject({ value: "of the other", made: false });
    expect(readFileSync(`${path}/value`, "utf8")).toBe("of the other");
    expect(leftovers(cache)).toEqual([]);
  });

  test("replaces what stands there broken", async () => {
    const cache = emptyCache();
    const path = cache.layout.layer("thing");
    mkdirSync(`${path}/tree/deep`, { recursive: true });
    writeFileSync(`${path}/tree/deep/f`, "");
    expect(await publishing(cache)).toMatchObject({ value: "made", made: true });
    expect(readdirSync(path)).toEqual(["value"]);
    expect(leftovers(cache)).toEqual([]);
  });

  test("replaces an empty directory", async () => {
    const cache = emptyCache();
    mkdirSync(cache.layout.layer("thing"));
    expect(await publishing(cache)).toMatchObject({ made: true });
  });

  test.each(Object.entries(deadIdentities()))(
    "goes on at once where %s was at it",
    async (_, owner) => {
      const cache = emptyCache();
      mkdirSync(cache.layout.lock("layer-thing"));
      writeFileSync(`${cache.layout.lock("layer-thing")}/${ownedName(owner)}`, "");
      expect(await publishing(cache, { wait: 0 })).toMatchObject({ value: "made", made: true });
      expect(leftovers(cache)).toEqual([]);
    },
  );

  test("does not follow a link that a failed making left behind", async () => {
    const cache = emptyCache();
    const make = async (directory: string) => {
      symlinkSync(cache.directory, `${directory}/link`);
      throw new Error("fails");
    };
    await expect(publishing(cache, { make })).rejects.toThrow("fails");
    expect(existsSync(`${cache.directory}/CACHEDIR.TAG`)).toBe(true);
  });
});
