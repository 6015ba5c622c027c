import { execFileSync } from "node:child_process";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { detectCompression } from "../../src/host/compression.js";
import { refusal } from "../support/refusal.js";
import { headerBlock } from "../support/tar-blocks.js";
import { skippableFrame, zstdFrame } from "../support/zstd-handmade.js";
import { zstdSample } from "../support/zstd-sample.js";

describe("detectCompression", () => {
  it.each([
    { what: "Node's gzip", bytes: gzipSync("x"), compression: "gzip" },
    {
      what: "the gzip program's output",
      bytes: execFileSync("gzip", ["-c"], { input: "x" }),
      compression: "gzip",
    },
    { what: "the zstd program's output", bytes: zstdSample, compression: "zstd" },
    { what: "an empty zstd frame", bytes: zstdFrame(Buffer.alloc(0)), compression: "zstd" },
    { what: "a tar archive", bytes: headerBlock(), compression: "none" },
    { what: "nothing", bytes: Buffer.alloc(0), compression: "none" },
    { what: "one byte", bytes: Buffer.from([0x1f]), compression: "none" },
    { what: "text", bytes: Buffer.from("hello"), compression: "none" },
    { what: "a part of zstd's magic", bytes: zstdSample.subarray(0, 3), compression: "none" },
    {
      what: "what almost is a skippable frame",
      bytes: Buffer.from("60 2a 4d 18 00 00 00 00".replaceAll(" ", ""), "hex"),
      compression: "none",
    },
    // Their names begin as bzip2's magic does.
    { what: "an archive of BZhello", bytes: headerBlock({ name: "BZhello" }), compression: "none" },
    { what: "an archive of BZh9/x", bytes: headerBlock({ name: "BZh9/x" }), compression: "none" },
  ])("tells $what by its first bytes: $compression", ({ bytes, compression }) => {
    expect(detectCompression(bytes)).toBe(compression);
    expect(detectCompression(bytes.subarray(0, 8))).toBe(compression);
  });

  it("knows all sixteen kinds of skippable frames", () => {
    for (let kind = 0; kind < 16; kind++) {
      expect(detectCompression(skippableFrame(Buffer.from("x"), kind))).toBe("zstd");
    }
  });

  it.each([
    { name: "xz", bytes: Buffer.from("fd377a585a000004", "hex") },
    { name: "bzip2", bytes: Buffer.from("425a683931415926", "hex") },
    { name: "bzip2", bytes: Buffer.from("425a683917724538", "hex") },
    { name: "lz4", bytes: Buffer.from("04224d1864704070", "hex") },
  ])("refuses $name by name, and says what to use", ({ name, bytes }) => {
    expect(refusal(() => detectCompression(bytes))).toMatchObject({
      code: "IMAGE_UNSUPPORTED",
      message: expect.stringContaining(name),
      hint: expect.stringContaining("gzip or zstd"),
    });
  });
});
