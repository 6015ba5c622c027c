import { writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { leastContentSize } from "../../../src/host/decompress/content-size.js";
import { statedContentSize } from "../../../src/host/decompress/zstd-frames.js";
import { createGrowth } from "../../../src/host/growth.js";
import type { Span } from "../../../src/host/span.js";
import { scratchDirectory } from "../../support/scratch-directory.js";

const content = Buffer.alloc(300_000, "text ");

function span(bytes: Buffer, before = 0): Span {
  const path = `${scratchDirectory()}/blob`;
  writeFileSync(path, Buffer.concat([Buffer.alloc(before, "x"), bytes, Buffer.from("behind")]));
  return { path, offset: before, size: bytes.length };
}

describe("leastContentSize", () => {
  test("of a plain blob is its length", () => {
    expect(leastContentSize(span(content, 100))).toBe(300_000);
  });

  test("of a gzip member is what its trailer says", () => {
    expect(leastContentSize(span(gzipSync(content), 512))).toBe(300_000);
  });

  test("of several members is that of the last, or what is stored", () => {
    const [first, last] = [gzipSync(content), gzipSync("end")];
    expect(leastContentSize(span(Buffer.concat([last, first])))).toBe(300_000);
    const stored = first.length + last.length;
    expect(leastContentSize(span(Buffer.concat([first, last])))).toBe(Math.floor(stored * 0.99));
  });

  test("of what is still being written is what will be stored", () => {
    const whole = span(gzipSync(content));
    const least = leastContentSize({ ...whole, size: 1000, growth: createGrowth() });
    expect(least).toBe(990);
  });

  test.each([0, 1, 3])("of %d bytes is not looked for", (length) => {
    expect(leastContentSize(span(Buffer.alloc(length)))).toBeLessThanOrEqual(length);
  });
});

describe("statedContentSize", () => {
  // Frames as `zstd -c FILE` begins them, with the length in one, two, four or eight bytes.
  test.each([
    ["28b52ffd2001090000", 1],
    ["28b52ffd20ff", 255],
    ["28b52ffd600000", 256],
    ["28b52ffd60ffff", 65_791],
    ["28b52ffda4e0930400", 300_000],
    ["28b52ffde00000000001000000", 2 ** 32],
    ["28b52ffd4358010203040100", 257],
  ])("reads %s", (frame, size) => {
    const start = Buffer.concat([Buffer.from(frame, "hex"), Buffer.alloc(18)]).subarray(0, 18);
    expect(statedContentSize(start)).toBe(size);
  });

  test("of a stream that does not say, or what is no frame, is unknown", () => {
    expect(statedContentSize(Buffer.from("28b52ffd00580000", "hex"))).toBeUndefined();
    expect(statedContentSize(Buffer.from("28b5", "hex"))).toBeUndefined();
    expect(statedContentSize(Buffer.from("28b52ffde000", "hex"))).toBeUndefined();
    expect(statedContentSize(Buffer.from("502a4d1804000000", "hex"))).toBeUndefined();
  });
});
