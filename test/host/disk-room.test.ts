import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { freeRoom, isNone, sumOf, without } from "../../src/host/disk-room.js";
import { scratchDirectory } from "../support/scratch-directory.js";

test("says of a disk what stat(1) says of it", () => {
  const directory = scratchDirectory();
  const blocks = process.geteuid?.() === 0 ? "%f" : "%a";
  const format = `${blocks} %S %d %c`;
  const text = execFileSync("stat", ["-f", "-c", format, directory], { encoding: "utf8" });
  const [free = 0, size = 0, inodes = 0, all = 0] = text.trim().split(" ").map(Number);
  const room = freeRoom(directory);
  // Others write to the same disk.
  expect(Math.abs(room.bytes - free * size)).toBeLessThan(2 ** 30);
  if (all === 0) expect(room.inodes).toBe(Number.POSITIVE_INFINITY);
  else expect(Math.abs(room.inodes - inodes)).toBeLessThan(100_000);
});

test("room is added and taken away in both kinds, and never less than none", () => {
  expect(sumOf([])).toEqual({ bytes: 0, inodes: 0 });
  const sum = sumOf([
    { bytes: 1, inodes: 20 },
    { bytes: 2, inodes: 30 },
  ]);
  expect(sum).toEqual({ bytes: 3, inodes: 50 });
  expect(without(sum, { bytes: 5, inodes: 10 })).toEqual({ bytes: 0, inodes: 40 });
  expect(without(sum, { bytes: 1, inodes: Number.POSITIVE_INFINITY })).toEqual({
    bytes: 2,
    inodes: 0,
  });
  expect(isNone({ bytes: 0, inodes: 0 })).toBe(true);
  expect(isNone({ bytes: 0, inodes: 1 })).toBe(false);
  expect(isNone({ bytes: 1, inodes: 0 })).toBe(false);
});
