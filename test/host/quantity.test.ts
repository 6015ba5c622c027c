import { describe, expect, test } from "vitest";
import {
  bytesOfShare,
  formatDuration,
  formatSize,
  parseDuration,
  parseShare,
  parseSize,
} from "../../src/host/quantity.js";

describe("quantities", () => {
  test.each([
    ["0", 0],
    ["17", 17],
    ["2K", 2048],
    ["3MiB", 3 * 1024 ** 2],
    ["200G", 200 * 1024 ** 3],
    ["1T", 1024 ** 4],
    ["", undefined],
    ["K", undefined],
    ["1.5G", undefined],
    ["1GB", undefined],
    ["1g", undefined],
    ["-1", undefined],
    ["1 G", undefined],
    ["10%", undefined],
  ])("the size %j is %j bytes", (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  test.each([
    ["10%", { percent: 10 }],
    ["0.5%", { percent: 0.5 }],
    ["100%", { percent: 100 }],
    ["101%", undefined],
    ["5G", { bytes: 5 * 1024 ** 3 }],
    ["%", undefined],
  ])("the share %j is %j", (text, share) => {
    expect(parseShare(text)).toEqual(share);
  });

  test("a share of a disk is a number of bytes", () => {
    expect([bytesOfShare({ percent: 12.5 }, 1000), bytesOfShare({ bytes: 7 }, 1000)]).toEqual([
      125, 7,
    ]);
  });

  test.each([
    ["90", 90],
    ["90s", 90],
    ["5m", 300],
    ["12h", 43_200],
    ["30d", 2_592_000],
    ["2w", 1_209_600],
    ["1y", undefined],
    ["", undefined],
    ["d", undefined],
  ])("the time span %j is %j seconds", (text, seconds) => {
    expect(parseDuration(text)).toBe(seconds);
  });

  test.each([
    [0, "0"],
    [1023, "1023"],
    [1024, "1.0K"],
    [10 * 1024, "10K"],
    [1.5 * 1024 ** 3, "1.5G"],
    [5000 * 1024 ** 4, "5000T"],
  ])("%d bytes are shown as %j", (bytes, text) => {
    expect(formatSize(bytes)).toBe(text);
  });

  test.each([
    [0, "0s"],
    [119, "119s"],
    [120, "2m"],
    [3600 * 30, "30h"],
    [3600 * 49, "2d"],
    [-5, "0s"],
  ])("%d seconds are shown as %j", (seconds, text) => {
    expect(formatDuration(seconds)).toBe(text);
  });
});
