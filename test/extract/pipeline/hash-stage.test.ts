import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { hashBlocks } from "../../../src/extract/pipeline/hash-stage.js";
import { createPipelineMemory } from "../../../src/extract/pipeline/memory.js";
import { RingWriter, stopRing } from "../../../src/host/block-ring.js";
import { WorkStopped } from "../../../src/host/work-stopped.js";

/** Memory with blocks in it, written as `input|output`, and how they end. */
function memoryWith(blocks: readonly string[], end: "end" | "fail" = "end") {
  const memory = createPipelineMemory();
  const writer = new RingWriter(memory.ring);
  for (const block of blocks) {
    const [input = "", output = ""] = block.split("|");
    const areas = writer.next();
    areas.input.write(input);
    areas.output.write(output);
    writer.publish({ input: input.length, output: output.length });
  }
  writer[end]();
  return memory;
}

function hash(algorithm: string, text: string): string {
  return createHash(algorithm).update(text).digest("hex");
}

const packed = ["AB|a long", "C|", "| text", "DEF| of more", "|"];
const plain = ["|a long", "| text", "|", "| of more"];
const text = "a long text of more";

describe("the hashes of a compressed blob and its archive", () => {
  test.each([
    ["sha256", "sha256"],
    ["sha256", "sha512"],
    ["sha512", "sha256"],
    ["sha512", "sha512"],
  ] as const)("are made by %s and %s", (blob, tar) => {
    const hashes = hashBlocks({ memory: memoryWith(packed), blob, tar, isPlain: false });
    expect(hashes).toEqual({ blob: hash(blob, "ABCDEF"), tar: hash(tar, text) });
  });

  test("are those of the archive alone where no digest of the blob is stated", () => {
    const task = { memory: memoryWith(packed), blob: null, tar: "sha256", isPlain: false } as const;
    expect(hashBlocks(task)).toEqual({ blob: null, tar: hash("sha256", text) });
  });
});

describe("the hashes of a blob that is the archive", () => {
  test.each([
    ["sha256", "sha256"],
    ["sha256", "sha512"],
    ["sha512", "sha256"],
    [null, "sha256"],
  ] as const)("are made by %s and %s", (blob, tar) => {
    const hashes = hashBlocks({ memory: memoryWith(plain), blob, tar, isPlain: true });
    expect(hashes).toEqual({ blob: blob && hash(blob, text), tar: hash(tar, text) });
  });
});

test("of nothing, the hashes are those of nothing", () => {
  const task = { memory: memoryWith([]), blob: "sha256", tar: "sha256", isPlain: false } as const;
  expect(hashBlocks(task)).toEqual({ blob: hash("sha256", ""), tar: hash("sha256", "") });
});

test("of blocks that end before the work does there are no hashes", () => {
  const memory = memoryWith(packed, "fail");
  const task = { memory, blob: "sha256", tar: "sha256", isPlain: false } as const;
  expect(() => hashBlocks(task)).toThrow(WorkStopped);
});

test("nothing is hashed any more once the work was given up", () => {
  const memory = memoryWith(packed);
  stopRing(memory.ring);
  const task = { memory, blob: "sha256", tar: "sha256", isPlain: false } as const;
  expect(() => hashBlocks(task)).toThrow(WorkStopped);
});
