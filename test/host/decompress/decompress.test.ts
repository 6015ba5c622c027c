import { execFileSync } from "node:child_process";
import * as zlib from "node:zlib";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { oneBlock } from "../../../src/host/decompress/block-filler.js";
import { createDecompressor } from "../../../src/host/decompress/decompress.js";
import type { Engine } from "../../../src/host/decompress/engine.js";
import { fzstdEngine } from "../../../src/host/decompress/fzstd-engine.js";
import { minizlibEngine } from "../../../src/host/decompress/minizlib-engine.js";
import { zlibEngine } from "../../../src/host/decompress/zlib-engine.js";
import { refusal } from "../../support/refusal.js";
import { skippableFrame, zstdFrame, zstdZeros } from "../../support/zstd-handmade.js";
import { zstdSample, zstdSampleContent } from "../../support/zstd-sample.js";

interface NamedEngine {
  readonly name: string;
  readonly open: () => Engine;
}

/** Node's own, which is expected in every version of Node that is tested. */
function zlibOwn(format: "gzip" | "zstd"): NamedEngine {
  return {
    name: "zlib",
    open: () => {
      const engine = zlibEngine(format);
      if (!engine) throw new Error(`this Node's ${format} looks different from what is expected`);
      return engine;
    },
  };
}

const hasZstd = "createZstdDecompress" in zlib;
const engines: Readonly<Record<"gzip" | "zstd", readonly NamedEngine[]>> = {
  gzip: [zlibOwn("gzip"), { name: "minizlib", open: () => minizlibEngine("gzip") }],
  zstd: [
    { name: "fzstd", open: fzstdEngine },
    ...(hasZstd ? [zlibOwn("zstd"), { name: "minizlib", open: () => minizlibEngine("zstd") }] : []),
  ],
};

type Decompress = (...pieces: readonly Buffer[]) => Buffer;

/** Decompresses what comes in the given pieces. Each piece is overwritten once it was pushed. */
function decompressorOf(format: "gzip" | "zstd", { open }: NamedEngine): Decompress {
  return (...pieces) => {
    const decompressor = createDecompressor(format, { engine: open(), nextBlock: oneBlock() });
    const out: Buffer[] = [];
    for (const piece of pieces) {
      const own = Buffer.from(piece);
      for (const yielded of decompressor.push(own)) out.push(Buffer.from(yielded));
      own.fill(0xee);
    }
    for (const yielded of decompressor.end()) out.push(Buffer.from(yielded));
    return Buffer.concat(out);
  };
}

function inPieces(bytes: Buffer, size: number): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
  return pieces;
}

const text = Buffer.from("a layer of an image, ".repeat(50));
const large = Buffer.from(Array.from({ length: 150_000 }, (_, i) => (i * i) % 251));

const streams = [
  { kind: "gzip" as const, what: "text", bytes: gzipSync(text), content: text },
  { kind: "gzip" as const, what: "a large file", bytes: gzipSync(large), content: large },
  { kind: "gzip" as const, what: "nothing", bytes: gzipSync(""), content: Buffer.alloc(0) },
  {
    kind: "gzip" as const,
    what: "the gzip program's output, with a name",
    bytes: execFileSync("gzip", ["-9c"], { input: text }),
    content: text,
  },
  { kind: "zstd" as const, what: "text", bytes: zstdSample, content: zstdSampleContent },
  { kind: "zstd" as const, what: "raw blocks", bytes: zstdFrame(large), content: large },
  {
    kind: "zstd" as const,
    what: "an empty frame",
    bytes: zstdFrame(Buffer.alloc(0)),
    content: Buffer.alloc(0),
  },
];

const streamsByEngine = streams.flatMap((stream) =>
  engines[stream.kind].map((engine) => ({ ...stream, engine })),
);

describe.each(streamsByEngine)("$engine.name, on $kind of $what", (stream) => {
  const { kind, bytes, content, engine } = stream;
  const decompress = decompressorOf(kind, engine);

  it.each([1, 3, 511, 64 * 1024])("gives it back from pieces of %d bytes", (size) => {
    // Byte by byte, a large file would only take longer.
    const step = Math.max(size, Math.ceil(bytes.length / 20_000));
    expect(decompress(...inPieces(bytes, step)).equals(content)).toBe(true);
  });

  it("says so wherever it is cut", () => {
    const step = Math.max(1, Math.floor(bytes.length / 60));
    for (let length = 1; length < bytes.length; length += step) {
      expect(refusal(() => decompress(bytes.subarray(0, length)))).toMatchObject({
        code: "IMAGE_INVALID",
        message: `the ${kind} data is damaged or truncated`,
      });
    }
    expect(refusal(() => decompress(bytes.subarray(0, -1))).code).toBe("IMAGE_INVALID");
  });

  it("gives back two of it, cut anywhere", () => {
    const both = Buffer.concat([bytes, bytes]);
    const twice = Buffer.concat([content, content]);
    const around = Array.from({ length: 41 }, (_, i) => bytes.length - 20 + i);
    for (const cut of around.filter((at) => at > 0 && at < both.length)) {
      const got = decompress(both.subarray(0, cut), both.subarray(cut));
      expect(got.equals(twice), `cut at ${cut} of ${both.length}`).toBe(true);
    }
  });
});

describe.each(engines.gzip)("$name, on gzip", (engine) => {
  const decompress = decompressorOf("gzip", engine);

  it("reads many members, the empty ones too, in pieces of any size", () => {
    const members = ["one ", "", "two ", "", "", "three"].map((part) => gzipSync(part));
    const bytes = Buffer.concat(members);
    for (let size = 1; size <= bytes.length; size++) {
      expect(decompress(...inPieces(bytes, size)).toString()).toBe("one two three");
    }
  });

  it("passes over zeros at the end, as the gzip program does", () => {
    const bytes = Buffer.concat([gzipSync(text), Buffer.alloc(1000)]);
    for (const size of [1, 7, bytes.length]) {
      expect(decompress(...inPieces(bytes, size)).equals(text)).toBe(true);
    }
  });

  it("says so when the second of two members is cut", () => {
    const first = gzipSync(text);
    const bytes = Buffer.concat([first, gzipSync(text)]);
    for (let length = first.length + 2; length < bytes.length; length++) {
      expect(refusal(() => decompress(bytes.subarray(0, length))).code).toBe("IMAGE_INVALID");
    }
  });

  it("says so when any byte of the content, checksum or length is changed", () => {
    const bytes = gzipSync(text);
    for (let at = 10; at < bytes.length; at++) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 0x10;
      expect(refusal(() => decompress(changed)).code, `byte ${at}`).toBe("IMAGE_INVALID");
    }
  });

  it("says so when there is nothing at all", () => {
    expect(refusal(() => decompress()).code).toBe("IMAGE_INVALID");
  });
});

describe.each(engines.zstd)("$name, on zstd", (engine) => {
  const decompress = decompressorOf("zstd", engine);

  it("passes over skippable frames, before, between and after the others", () => {
    const skip = skippableFrame(Buffer.from("nothing to see"), 3);
    const bytes = Buffer.concat([
      skip,
      zstdSample,
      skip,
      skippableFrame(Buffer.alloc(0)),
      zstdFrame(text),
      skip,
    ]);
    for (const size of [1, 5, 100, bytes.length]) {
      const got = decompress(...inPieces(bytes, size));
      expect(got.equals(Buffer.concat([zstdSampleContent, text])), `pieces of ${size}`).toBe(true);
    }
  });

  it("says so when the second of two frames is cut", () => {
    const first = zstdFrame(text);
    const bytes = Buffer.concat([first, zstdSample]);
    for (let length = first.length + 1; length < bytes.length; length += 5) {
      expect(refusal(() => decompress(bytes.subarray(0, length))).code).toBe("IMAGE_INVALID");
    }
  });

  it("says so when what follows a frame is none", () => {
    const bytes = Buffer.concat([zstdSample, Buffer.from("garbage")]);
    expect(refusal(() => decompress(bytes)).code).toBe("IMAGE_INVALID");
  });

  it("says so when it is not zstd at all", () => {
    const bytes = Buffer.concat([zstdSample.subarray(0, 4), Buffer.alloc(400, 0xff)]);
    expect(refusal(() => decompress(bytes)).code).toBe("IMAGE_INVALID");
  });

  it("never fails but with IMAGE_INVALID when bytes are changed", () => {
    let refused = 0;
    for (let at = 4; at < zstdSample.length; at += 3) {
      const changed = Buffer.from(zstdSample);
      changed[at] = (changed[at] ?? 0) ^ 0x55;
      try {
        decompress(changed);
      } catch {
        expect(refusal(() => decompress(changed)).code).toBe("IMAGE_INVALID");
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(50);
  });

  it("gives out what a bomb makes little by little", () => {
    const blocks = 2048;
    const bomb = zstdZeros(blocks);
    expect(bomb.length).toBeLessThan(20_000);
    const before = process.memoryUsage().arrayBuffers;
    const decompressor = createDecompressor("zstd", {
      engine: engine.open(),
      nextBlock: oneBlock(),
    });
    let most = 0;
    let total = 0;
    for (const piece of decompressor.push(bomb)) {
      total += piece.length;
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    }
    for (const piece of decompressor.end()) total += piece.length;
    expect(total).toBe(blocks * 128 * 1024);
    expect(most).toBeLessThan(160 * 1024 * 1024);
  });
});
