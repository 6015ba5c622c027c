import { mkdirSync, readdirSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { isIntact, markNew } from "../../../src/cache/durability/durability-mark.js";
import { makeDurable } from "../../../src/cache/durability/make-durable.js";
import { isInMemory } from "../../../src/host/sync-file-system.js";
import { emptyCache, type TestCache } from "../../support/cache.js";
import { withSync } from "../../support/fake-sync.js";
import { rejection } from "../../support/refusal.js";

vi.mock("../../../src/host/sync-file-system.js", { spy: true });

beforeEach(() => void vi.mocked(isInMemory).mockReturnValue(false));
afterEach(() => void vi.unstubAllEnvs());

/** A cache with a layer and an entry, and another entry that nobody sees yet. */
function halfStaged() {
  const cache = emptyCache();
  const { layout } = cache;
  const places = { layer: layout.layer("l"), old: layout.entry("old"), made: `${layout.tmp}/made` };
  for (const directory of Object.values(places)) {
    mkdirSync(directory);
    markNew(directory);
  }
  return { cache, ...places };
}

async function finish(
  { layout }: TestCache,
  { made, signal }: { made: string; signal?: AbortSignal },
) {
  const doubts: string[] = [];
  const onDoubt = (reason: string) => doubts.push(reason);
  await makeDurable(layout, { directory: made, durability: { onDoubt, signal } });
  return doubts;
}

describe("makeDurable", () => {
  test("marks the entry, and all that was published before", async () => {
    const { cache, layer, old, made } = halfStaged();
    expect(await finish(cache, { made })).toEqual([]);
    for (const directory of [layer, old, made]) expect(readdirSync(directory)).toEqual(["durable"]);
  });

  test("does not mark what is published while the disk is at work", async () => {
    const { cache, made } = halfStaged();
    const late = cache.layout.layer("late");
    withSync(`/bin/mkdir ${late}; : > ${late}/boot-x-y`);
    await finish(cache, { made });
    expect(readdirSync(late)).toEqual(["boot-x-y"]);
  });

  test("marks nothing where there is no program for it, and tells", async () => {
    const { cache, layer, made } = halfStaged();
    withSync();
    expect(await finish(cache, { made })).toEqual(["unavailable"]);
    for (const directory of [layer, made]) {
      expect(readdirSync(directory)).toEqual([expect.stringMatching(/^boot-/)]);
      expect(isIntact(directory)).toBe(true);
    }
  });

  test("has layers made anew when the disk has refused something", async () => {
    const { cache, layer, old, made } = halfStaged();
    withSync("echo 'sync: error syncing: Input/output error' >&2; exit 1");
    expect((await rejection(finish(cache, { made }))).code).toBe("NOT_WRITABLE");
    expect(isIntact(layer)).toBe(false);
    // Somebody may be using this one.
    expect(isIntact(old)).toBe(true);
    vi.unstubAllEnvs();
    await finish(cache, { made });
    expect(readdirSync(old)).toEqual([expect.stringMatching(/^boot-[0-9a-f-]{36}$/)]);
  });

  test("keeps layers when it is aborted", async () => {
    const { cache, layer, made } = halfStaged();
    withSync("exec /bin/sleep 20");
    const controller = new AbortController();
    const finishing = finish(cache, { made, signal: controller.signal });
    controller.abort(new Error("stop"));
    await expect(finishing).rejects.toThrow("stop");
    expect(isIntact(layer)).toBe(true);
  });

  test("leaves it at the boot's mark on a disk in memory", async () => {
    const { cache, made } = halfStaged();
    vi.mocked(isInMemory).mockReturnValue(true);
    withSync("exit 1");
    expect(await finish(cache, { made })).toEqual([]);
    expect(readdirSync(made)).toEqual([expect.stringMatching(/^boot-/)]);
  });
});
