import { describe, expect, test } from "vitest";
import {
  type GcEntry,
  type GcGoals,
  type GcInputs,
  planGc,
} from "../../../src/cache/removal/gc-plan.js";

const now = Date.UTC(2026, 10, 22);
const day = 24 * 3600 * 1000;
const MB = 1e6;

/** An entry, idle for so many days. */
function entry(key: string, idle: number, layers: string, more: Partial<GcEntry> = {}): GcEntry {
  const own = { bytes: 0, inodes: 1 };
  return { key, own, layers: [...layers], lastUse: now - idle * day, origin: "local", ...more };
}

/** What is planned for entries whose layers are 100 MB each, with 10 inodes. */
function plan(entries: readonly GcEntry[], goals: GcGoals, more: Partial<GcInputs> = {}) {
  const names = new Set(entries.flatMap(({ layers }) => layers));
  const layers = [...names].map((name) => {
    return {
      name,
      size: { bytes: 100 * MB, inodes: 10 },
      isInUse: name === "u",
      isFresh: name === "f",
    };
  });
  const rest = { bytes: 0, inodes: 0 };
  return planGc({ entries, layers, rest, goals, now, ...more });
}

const keys = ({ entries }: ReturnType<typeof plan>) => entries.map(({ key }) => key);

describe("what goes", () => {
  const three = [entry("a", 1, "bx"), entry("b", 3, "by"), entry("c", 2, "bz")];

  test.each<readonly [string, GcGoals, keys: string[], layers: string]>([
    ["nothing without a goal", {}, [], ""],
    ["nothing where the cache is small enough", { maxSize: 400 * MB }, [], ""],
    ["the least recently used", { maxSize: 399 * MB }, ["b"], "y"],
    ["as many as it takes", { maxSize: 299 * MB }, ["b", "c"], "yz"],
    ["all, with what they share, for a size of 0", { maxSize: 0 }, ["b", "c", "a"], "yzbx"],
    ["what is too old", { maxAge: 1.5 * day }, ["b", "c"], "yz"],
    ["all but the last used", { keepLast: 1 }, ["b", "c"], "yz"],
    ["all, where none is to be kept", { keepLast: 0 }, ["b", "c", "a"], "yzbx"],
    ["what is too old, of which the last used stay", { maxAge: 0, keepLast: 2 }, ["b"], "y"],
    ["what has to, of which the last used stay", { maxSize: 0, keepLast: 2 }, ["b"], "y"],
    ["enough to free bytes", { toFree: { bytes: 101 * MB, inodes: 0 } }, ["b", "c"], "yz"],
    ["enough to free inodes", { toFree: { bytes: 0, inodes: 12 } }, ["b", "c"], "yz"],
    ["what is too old, which may be enough", { maxAge: 2.5 * day, maxSize: 399 * MB }, ["b"], "y"],
    ["more than what is too old", { maxAge: 2.5 * day, maxSize: 299 * MB }, ["b", "c"], "yz"],
  ])("is %s", (_, goals, gone, layers) => {
    const planned = plan(three, goals);
    expect(keys(planned)).toEqual(gone);
    expect(planned.layers.join("")).toBe(layers);
    expect(planned.frees).toEqual({
      bytes: layers.length * 100 * MB,
      inodes: layers.length * 10 + gone.length,
    });
    expect(planned.size.bytes).toBe((4 - layers.length) * 100 * MB);
  });

  test("is said with the reason and with what it frees", () => {
    const planned = plan(three, { maxAge: 2.5 * day, maxSize: 299 * MB });
    const frees = { bytes: 100 * MB, inodes: 11 };
    expect(planned.entries).toEqual([
      { key: "b", reason: "max-age", frees },
      { key: "c", reason: "max-size", frees },
    ]);
    expect(plan(three, { keepLast: 2 }).entries[0]?.reason).toBe("keep-last");
    const toFree = { bytes: 1, inodes: 0 };
    expect(plan(three, { toFree }).entries[0]?.reason).toBe("room");
  });

  test("is what is easy to get back, before what was used less recently", () => {
    const [local, registry] = [
      entry("local", 2, "abcdefgh"),
      entry("registry", 5, "ijklmnop", { origin: "registry" as const }),
    ];
    expect(keys(plan([registry, local], { maxSize: 1000 * MB }))).toEqual(["local"]);
  });

  test("is what shares little, before what shares all but a layer that more need", () => {
    const entries = [entry("whole", 1, "abc"), entry("p", 1.01, "xyzp"), entry("q", 1.01, "xyzq")];
    expect(keys(plan(entries, { maxSize: 799 * MB }))[0]).toBe("whole");
  });

  test("are two of the same content, one after the other, though one alone frees nothing", () => {
    const twins = [entry("a", 9, "xyz"), entry("b", 8, "xyz")];
    const planned = plan([...twins, entry("c", 1, "c")], { maxSize: 100 * MB });
    expect(keys(planned)).toEqual(["a", "b"]);
    expect(planned.entries.map(({ frees }) => frees.bytes)).toEqual([0, 300 * MB]);
  });

  test("is a layer that no entry needs, unless it is fresh or in use", () => {
    const size = { bytes: 1, inodes: 1 };
    const layers = [
      { name: "old", size, isInUse: false, isFresh: false },
      { name: "fresh", size, isInUse: false, isFresh: true },
      { name: "used", size, isInUse: true, isFresh: false },
    ];
    expect(plan([], {}, { layers }).layers).toEqual(["old"]);
  });

  test("is a fresh layer with its entry, but not one in use", () => {
    expect(plan([entry("a", 1, "fux")], { maxSize: 0 }).layers).toEqual(["f", "x"]);
  });
});

describe("what stays", () => {
  const leased = entry("leased", 9, "a", { protection: "leased by job-1" });

  test("is what is protected, whatever the goals", () => {
    const others = [entry("b", 3, "b"), entry("c", 1, "c")];
    const planned = plan([leased, ...others], { maxSize: 0, keepLast: 1, maxAge: 2 * day });
    expect(keys(planned)).toEqual(["b"]);
    expect(planned.stay).toEqual([
      { key: "leased", why: "leased by job-1" },
      { key: "c", why: "one of the last used" },
    ]);
    expect(planned.unmet).toEqual([{ goal: "max-size", wanted: 0, reached: 200 * MB }]);
  });

  test("needs no mention where the goals are reached without it", () => {
    const planned = plan([leased, entry("b", 3, "b")], { maxSize: 100 * MB });
    expect([keys(planned), planned.stay, planned.unmet]).toEqual([["b"], [], []]);
  });

  test("is mentioned where it is too old", () => {
    expect(plan([leased], { maxAge: day })).toMatchObject({
      stay: [{ key: "leased", why: "leased by job-1" }],
      unmet: [],
    });
  });

  test("counts against the size, and so do blobs under way", () => {
    const rest = { bytes: 50 * MB, inodes: 1 };
    const planned = plan([leased, entry("b", 3, "b")], { maxSize: 149 * MB }, { rest });
    expect(planned.unmet).toEqual([{ goal: "max-size", wanted: 149 * MB, reached: 150 * MB }]);
  });

  test("leaves what was to be freed unreached, in bytes and in inodes", () => {
    const toFree = { bytes: 200 * MB, inodes: 12 };
    expect(plan([leased, entry("b", 3, "b")], { toFree }).unmet).toEqual([
      { goal: "room", wanted: 200 * MB, reached: 100 * MB },
      { goal: "room-inodes", wanted: 12, reached: 11 },
    ]);
  });
});

test("thousands of entries that share layers are planned in no time", () => {
  const entries = Array.from({ length: 4000 }, (_, i) => {
    return entry(`${i}`, i, "", { layers: ["base", `m${i % 50}`, `top${i}`] });
  });
  const start = performance.now();
  const planned = plan(entries, { maxSize: 0 });
  expect(planned.entries).toHaveLength(4000);
  expect(planned.size.bytes).toBe(0);
  expect(performance.now() - start).toBeLessThan(3000);
});
