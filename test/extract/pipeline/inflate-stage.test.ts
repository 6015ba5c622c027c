import { writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Outcome } from "../../../src/extract/outcome.js";
import { createFillQueue } from "../../../src/extract/pipeline/fill-queue.js";
import { createPipelineMemory, type PipelineMemory } from "../../../src/extract/pipeline/memory.js";
import { createRing, RingReader, stopRing } from "../../../src/host/block-ring.js";
import { outputBlock } from "../../../src/host/decompress/block-filler.js";
import { WorkStopped } from "../../../src/host/work-stopped.js";
import { defaultLimits, type Limits } from "../../../src/oci/limits.js";
import { Dice } from "../../fuzz/dice.js";
import { openFiles } from "../../support/open-files.js";
import { RingBlocks, type RingContent, readRing } from "../../support/read-ring.js";
import { scratchDirectory } from "../../support/scratch-directory.js";
import { useThreads } from "../../support/threads.js";
import { skippableFrame, zstdFrame, zstdZeros } from "../../support/zstd-handmade.js";

const { inflate } = useThreads(["inflate"]);
type Compression = "none" | "gzip" | "zstd";

interface Passage {
  readonly outcome: Outcome<void>;
  /** Undefined where the readers were told that the work ends before its time. */
  readonly ended: boolean;
  readonly content: RingContent;
}

interface How {
  readonly compression: Compression;
  readonly memory?: PipelineMemory;
  readonly limits?: Partial<Limits>;
  /** Bytes that the blob lacks of what is said of it. */
  readonly missing?: number;
  /** Bytes around it in its file. */
  readonly around?: number;
}

/** Sends a blob through the stage, in a thread, and reads what comes of it. */
async function pass(blob: Buffer, how: How): Promise<Passage> {
  const { memory = createPipelineMemory(), missing = 0, around = 0 } = how;
  onTestFinished(() => stopRing(memory.ring));
  const path = `${scratchDirectory()}/blob`;
  const margin = Buffer.alloc(around, "around");
  writeFileSync(path, Buffer.concat([margin, blob, margin]));
  const span = { path, offset: around, size: blob.length + missing };
  const limits = { ...defaultLimits, ...how.limits };
  const task = { memory, span, compression: how.compression, limits };
  const work = inflate.run(({ stages }, given) => stages.inflate(given), task);
  const blocks = new RingBlocks();
  let ended = true;
  try {
    readRing(memory, blocks);
  } catch (error) {
    expect(error).toBeInstanceOf(WorkStopped);
    ended = false;
  }
  return { outcome: await work, ended, content: blocks.content() };
}

/** A whole blob's passage: all that went in and came out, and no block fuller than it can be. */
async function expectWhole(blob: Buffer, how: How & { content: Buffer }): Promise<RingContent> {
  const { outcome, ended, content } = await pass(blob, how);
  expect(outcome).toMatchObject({ ok: true });
  expect(ended).toBe(true);
  const stored = how.compression === "none" ? Buffer.alloc(0) : blob;
  expect(content.input.equals(stored), "the blob").toBe(true);
  expect(content.output.equals(how.content), "its content").toBe(true);
  return content;
}

const noise = Buffer.from(
  Array.from({ length: 1_500_000 }, (_, i) => Math.imul(i, i * 7919) >>> 9),
);

/** Bytes of which few are needed to say which. */
function plain(length: number): Buffer {
  return Buffer.alloc(length, "a layer's archive\n");
}

const compress: Readonly<Record<Compression, (content: Buffer) => Buffer>> = {
  none: (content) => content,
  gzip: (content) => gzipSync(content, { level: 1 }),
  zstd: zstdFrame,
};
const compressions = ["none", "gzip", "zstd"] as const;

describe.each(compressions)("a blob of compression %s", (compression) => {
  test.each([
    0,
    1,
    outputBlock - 1,
    outputBlock,
    outputBlock + 1,
    2 * outputBlock,
    30 * outputBlock + 12_345,
  ])("that holds %i bytes comes out whole", async (length) => {
    const content = plain(length);
    await expectWhole(compress[compression](content), { compression, content });
  });

  test("that can't be made smaller comes out whole", async () => {
    await expectWhole(compress[compression](noise), { compression, content: noise });
  });

  test("that lies in the middle of a file is all that is read", async () => {
    const content = noise.subarray(0, 500_000);
    await expectWhole(compress[compression](content), { compression, content, around: 777 });
  });

  test("passes through blocks of any size", async () => {
    const dice = new Dice(3);
    for (let round = 0; round < 40; round++) {
      const shape = {
        blocks: 1 + dice.below(4),
        input: 1 + dice.below(2000),
        output: 1 + dice.below(2000),
        readers: 2,
      };
      const memory = { ring: createRing(shape), queue: createFillQueue() };
      const [from, length] = [dice.below(10_000), dice.below(20_000)];
      const content = (dice.chance(0.5) ? noise : plain(40_000)).subarray(from, from + length);
      const whole = await expectWhole(compress[compression](content), {
        compression,
        content,
        memory,
      });
      for (const { input, output } of whole.lengths) {
        expect(input).toBeLessThanOrEqual(shape.input);
        expect(output).toBeLessThanOrEqual(shape.output);
      }
    }
  });

  test("whose file ends too early fails, after all that came before", async () => {
    const blob = compress[compression](noise);
    const { outcome, ended, content } = await pass(blob, { compression, missing: 10 });
    expect(outcome).toMatchObject({
      ok: false,
      error: { code: "IMAGE_INVALID", message: expect.stringMatching(/10 bytes early$/) },
    });
    expect(ended).toBe(false);
    expect(content.output.length).toBeGreaterThan(noise.length - 2 * outputBlock);
    expect(noise.subarray(0, content.output.length).equals(content.output)).toBe(true);
  });
});

describe.each(["gzip", "zstd"] as const)("a blob of compression %s", (compression) => {
  test.each([5, 100, 700_000])("that is cut after %i bytes fails", async (length) => {
    const blob = compress[compression](noise).subarray(0, length);
    const { outcome, ended, content } = await pass(blob, { compression });
    const message = `the ${compression} data is damaged or truncated`;
    expect(outcome).toMatchObject({ ok: false, error: { code: "IMAGE_INVALID", message } });
    expect(ended).toBe(false);
    expect(noise.subarray(0, content.output.length).equals(content.output)).toBe(true);
  });
});

describe("input that yields nothing for long", () => {
  const members = Buffer.concat(Array.from({ length: 40_000 }, () => gzipSync("")));
  const skipped = skippableFrame(Buffer.alloc(900_000, "nothing"));
  const fillers = [
    { what: "empty gzip members", compression: "gzip", filler: members },
    { what: "a skippable zstd frame", compression: "zstd", filler: skipped },
    {
      what: "small skippable zstd frames",
      compression: "zstd",
      filler: Buffer.concat(Array.from({ length: 50_000 }, () => skippableFrame(Buffer.from("-")))),
    },
  ] as const;

  test.each(fillers)(
    "($what) passes on its own, before, within and after content",
    async (each) => {
      const { compression, filler } = each;
      const pack = compress[compression];
      const content = noise.subarray(0, outputBlock + 1000);
      const start = content.subarray(0, 1000);
      const block = content.subarray(0, outputBlock);
      const cases = [
        { blob: [filler], content: [] },
        { blob: [filler, pack(content)], content: [content] },
        { blob: [pack(start), filler, pack(content)], content: [start, content] },
        { blob: [pack(content), filler], content: [content] },
        // What came before fills its block, and nothing of the next one.
        { blob: [pack(block), filler, pack(block)], content: [block, block] },
        { blob: [filler, pack(start), filler, pack(start), filler], content: [start, start] },
      ];
      for (const { blob, content: parts } of cases) {
        const { lengths } = await expectWhole(Buffer.concat(blob), {
          compression,
          content: Buffer.concat(parts),
        });
        const isFull = lengths.slice(0, -1).map(({ output }) => output === outputBlock);
        expect(isFull).toContain(false);
      }
    },
  );
});

describe("a stage that decompresses", () => {
  test("stops a bomb", async () => {
    const memory = createPipelineMemory();
    onTestFinished(() => stopRing(memory.ring));
    const path = `${scratchDirectory()}/bomb`;
    const bomb = zstdZeros(8200);
    writeFileSync(path, bomb);
    const span = { path, offset: 0, size: bomb.length };
    const task = { memory, span, compression: "zstd" as const, limits: defaultLimits };
    const work = inflate.run(({ stages }, given) => stages.inflate(given), task);
    const readers = [new RingReader(memory.ring, 0), new RingReader(memory.ring, 1)];
    let length = 0;
    expect(() => {
      for (;;) {
        for (const reader of readers) length += reader.next()?.output.length ?? 0;
        for (const reader of readers) reader.release();
      }
    }).toThrow(WorkStopped);
    expect(await work).toMatchObject({
      ok: false,
      error: {
        code: "LIMIT_RATIO",
        message: "its blob: more than 500 bytes for each compressed one",
      },
    });
    expect(length / 2).toBeLessThan(1024 ** 3);
  });

  test("tells readers when there is no such file", async () => {
    const memory = createPipelineMemory();
    const span = { path: `${scratchDirectory()}/none`, offset: 0, size: 10 };
    const task = { memory, span, compression: "gzip" as const, limits: defaultLimits };
    const outcome = await inflate.run(({ stages }, given) => stages.inflate(given), task);
    expect(outcome).toMatchObject({ ok: false, error: { code: "NOT_FOUND" } });
    expect(() => readRing(memory)).toThrow(WorkStopped);
  });

  test.each(compressions)(
    "of compression %s gives up at once when it is stopped",
    async (compression) => {
      const before = openFiles();
      const memory = createPipelineMemory();
      const path = `${scratchDirectory()}/blob`;
      const blob = compress[compression](plain(40 * outputBlock));
      writeFileSync(path, blob);
      const span = { path, offset: 0, size: blob.length };
      const task = { memory, span, compression, limits: defaultLimits };
      const work = inflate.run(({ stages }, given) => stages.inflate(given), task);
      // It waits for a block, because nobody gives one back.
      const reader = new RingReader(memory.ring, 0);
      for (let block = 0; block < memory.ring.shape.blocks; block++) reader.next();
      expect(openFiles()).toBe(before + 1);
      stopRing(memory.ring);
      expect(await work).toMatchObject({ ok: false, error: "stopped" });
      expect(openFiles()).toBe(before);
    },
  );
});
