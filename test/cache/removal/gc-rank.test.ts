import { expect, test } from "vitest";
import { gcRank, type Origin } from "../../../src/cache/removal/gc-rank.js";

const MB = 1e6;
const day = 24 * 3600 * 1000;

type Case = readonly [idle: number, share: number, origin: Origin];

test.each<readonly [string, first: Case, second: Case]>([
  ["the less recently used of two alike", [2 * day, 500 * MB, "local"], [day, 500 * MB, "local"]],
  ["what is still at hand", [day, 500 * MB, "local"], [day, 500 * MB, "registry"]],
  ["what a registry has", [day, 500 * MB, "registry"], [day, 500 * MB, "unknown"]],
  ["what is worth its start", [day, 500 * MB, "local"], [day, 1 * MB, "local"]],
  ["the idle, though it has to be fetched", [9 * day, 9e9, "registry"], [day, 9e9, "local"]],
  ["what is at hand, though used lately", [day, 9e9, "local"], [7 * day, 9e9, "registry"]],
  ["what is unknown, if idle for long", [100 * day, 9e9, "unknown"], [day, 9e9, "local"]],
  ["anything rather than what frees nothing", [day, 1, "unknown"], [99 * day, 0, "local"]],
])("first goes %s", (_, [idle, share, origin], [idle2, share2, origin2]) => {
  const first = gcRank({ idle, share, origin });
  const second = gcRank({ idle: idle2, share: share2, origin: origin2 });
  expect(first).toBeGreaterThan(second);
});

test("a use in the future, of a clock that was set, is one of just now", () => {
  expect(gcRank({ idle: -5, share: 1000, origin: "local" })).toBe(0);
});
