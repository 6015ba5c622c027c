import { describe, expect, it } from "vitest";
import { ZstdFrames } from "../../../src/host/decompress/zstd-frames.js";
import { refusal } from "../../support/refusal.js";
import { skippableFrame, zstdFrame, zstdZeros } from "../../support/zstd-handmade.js";
import { zstdSample } from "../../support/zstd-sample.js";

function follow(bytes: Buffer, size = bytes.length): void {
  const frames = new ZstdFrames();
  for (let at = 0; at < bytes.length; at += size) frames.follow(bytes.subarray(at, at + size));
  frames.end();
}

/** A frame's header and one empty last block. */
function frameWith(header: string): Buffer {
  return Buffer.concat([Buffer.from(`28b52ffd${header}`, "hex"), Buffer.from([1, 0, 0])]);
}

const streams = [
  { what: "a frame of the zstd program", bytes: zstdSample },
  { what: "raw blocks", bytes: zstdFrame(Buffer.alloc(300_000)) },
  { what: "an empty frame", bytes: zstdFrame(Buffer.alloc(0)) },
  { what: "repeated bytes", bytes: zstdZeros(3) },
  { what: "a skippable frame", bytes: skippableFrame(Buffer.from("skipped"), 15) },
  { what: "an empty skippable frame", bytes: skippableFrame(Buffer.alloc(0)) },
];

describe.each(streams)("ZstdFrames, on $what", ({ bytes }) => {
  const step = Math.max(1, Math.floor(bytes.length / 100));

  it("follows it in pieces of any size, and several in a row", () => {
    const many = Buffer.concat([bytes, ...streams.map((stream) => stream.bytes), bytes]);
    for (const size of [1, 2, 3, 5, 7, 1000, many.length]) follow(many, size);
    expect(refusal(() => follow(many.subarray(0, -1))).code).toBe("IMAGE_INVALID");
  });

  it("refuses it wherever it is cut", () => {
    for (let length = 1; length < bytes.length; length += step) {
      expect(refusal(() => follow(bytes.subarray(0, length)))).toMatchObject({
        code: "IMAGE_INVALID",
        message: "the zstd data is damaged or truncated",
      });
    }
  });

  it.each(["x", "garbage", "\0", "\0\0\0\0\0\0\0\0"])("refuses it when %j follows", (rest) => {
    const whole = Buffer.concat([bytes, Buffer.from(rest)]);
    for (const size of [1, whole.length]) {
      expect(refusal(() => follow(whole, size)).code).toBe("IMAGE_INVALID");
    }
  });
});

describe("ZstdFrames, on headers", () => {
  it.each([
    { what: "1 KiB", header: "0000" },
    { what: "8 MiB", header: "0068" },
    { what: "128 MiB", header: "0088" },
    { what: "a content of one byte", header: "2001" },
    { what: "a content of 128 MiB", header: "a000000008" },
    { what: "a content of 128 MiB, in eight bytes", header: "e00000000800000000" },
    { what: "8 MiB, with a dictionary ID of four bytes", header: "036801020304" },
    { what: "8 MiB, with a content's size of two bytes", header: "40680102" },
  ])("takes $what", ({ header }) => {
    const bytes = frameWith(header);
    for (const size of [1, bytes.length]) follow(bytes, size);
    expect(refusal(() => follow(bytes.subarray(0, -1))).code).toBe("IMAGE_INVALID");
  });

  it.each([
    { what: "144 MiB", header: "0089", window: 2 ** 27 + 2 ** 24 },
    { what: "2 GiB", header: "00a8", window: 2 ** 31 },
    { what: "almost 4 TiB", header: "00ff", window: 2 ** 41 + 7 * 2 ** 38 },
    { what: "a content of 128 MiB and a byte", header: "a001000008", window: 2 ** 27 + 1 },
    { what: "a content of 8 EiB", header: "e00000000000000080", window: 2 ** 63 },
  ])("refuses $what", ({ header, window }) => {
    expect(refusal(() => follow(frameWith(header)))).toMatchObject({
      code: "IMAGE_UNSUPPORTED",
      message: expect.stringContaining(`a window of ${window} bytes`),
      hint: expect.stringContaining("--long"),
    });
  });

  it.each([
    { what: "a block of the reserved type", bytes: Buffer.from("28b52ffd0000070000", "hex") },
    { what: "a frame with the reserved bit", bytes: frameWith("0800") },
  ])("refuses $what", ({ bytes }) => {
    expect(refusal(() => follow(bytes)).code).toBe("IMAGE_INVALID");
  });
});
