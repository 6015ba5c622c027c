import { describe, expect, test } from "vitest";
import { median, medianSample, rotated } from "../../../bench/measure/statistics.mjs";

describe("median", () => {
  test.each([
    [[7], 7],
    [[3, 1, 2], 2],
    [[10, 9, 100, 1, 2], 9],
    [[4, 1, 3, 2], 2.5],
  ])("of %j is %d", (values, expected) => {
    expect(median(values)).toBe(expected);
  });

  test("leaves its values as they are, and needs one", () => {
    const values = [3, 1, 2];
    median(values);
    expect(values).toEqual([3, 1, 2]);
    expect(() => median([])).toThrow(RangeError);
  });
});

describe("medianSample", () => {
  test("takes each figure's median for itself", () => {
    const samples = [
      { seconds: 1, cpuSeconds: 30, peakMiB: 200 },
      { seconds: 2, cpuSeconds: 10, peakMiB: 300 },
      { seconds: 3, cpuSeconds: 20, peakMiB: 100 },
    ];
    expect(medianSample(samples)).toEqual({ seconds: 2, cpuSeconds: 20, peakMiB: 200 });
  });

  test("says null where nothing was measured", () => {
    const samples = [{ seconds: 1, cpuSeconds: null, peakMiB: null }];
    expect(medianSample(samples)).toEqual({ seconds: 1, cpuSeconds: null, peakMiB: null });
  });
});

test.each([
  [0, ["a", "b", "c"]],
  [1, ["b", "c", "a"]],
  [5, ["c", "a", "b"]],
])("round %d has its own order", (round, order) => {
  expect(rotated(["a", "b", "c"], round)).toEqual(order);
});
