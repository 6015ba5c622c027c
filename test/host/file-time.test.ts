import { closeSync, futimesSync, lstatSync, openSync, utimesSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { fileTime, modificationTime } from "../../src/host/file-time.js";
import { scratchDirectory } from "../support/scratch-directory.js";

/** Nanoseconds that a new file gets for `seconds`. */
function nanosecondsFor(seconds: number): bigint {
  const path = `${scratchDirectory()}/f`;
  const fd = openSync(path, "w");
  futimesSync(fd, fileTime(seconds), fileTime(seconds));
  closeSync(fd);
  return lstatSync(path, { bigint: true }).mtimeNs;
}

describe("fileTime", () => {
  test.each([0, 1, -1, 1_700_000_000, 4_000_000_000, -86_400, 0.5, -0.25, 1_700_000_000.984375])(
    "%d s is set exactly",
    (seconds) => {
      expect(nanosecondsFor(seconds)).toBe(BigInt(seconds * 64) * 15_625_000n);
    },
  );

  const fractions = Array.from({ length: 97 }, (_, i) => (i * 10_309 + 1) % 1_000_000);

  test.each([1_700_000_000, 0, 7, 4_000_000_000, -1_000_000_000, -3])(
    "microseconds from %d s on are set, and no other",
    (start) => {
      for (const fraction of fractions) {
        const microseconds = start * 1_000_000 + (start < 0 ? -fraction : fraction);
        expect(nanosecondsFor(microseconds / 1e6) / 1000n).toBe(BigInt(microseconds));
      }
    },
  );

  test("what was read of one file gives another the same microsecond", () => {
    const path = `${scratchDirectory()}/f`;
    closeSync(openSync(path, "w"));
    for (const fraction of fractions) {
      utimesSync(path, 1e9 + fraction / 1e6, 1e9 + fraction / 1e6);
      const before = lstatSync(path, { bigint: true });
      const copied = nanosecondsFor(modificationTime(before));
      expect(copied / 1000n).toBe(before.mtimeNs / 1000n);
    }
  });
});
