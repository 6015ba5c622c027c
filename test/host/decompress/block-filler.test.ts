import { describe, expect, test } from "vitest";
import { BlockFiller, oneBlock, outputBlock } from "../../../src/host/decompress/block-filler.js";
import { randomNumbers } from "../../support/random-numbers.js";

/** Blocks of four bytes, all of which can be looked at afterwards. */
function filler() {
  const given: Buffer[] = [];
  const blocks = new BlockFiller(() => {
    const block = Buffer.alloc(4, ".");
    given.push(block);
    return block;
  });
  const write = (text: string) => blocks.advance(blocks.room().write(text));
  return { blocks, given, write };
}

describe("a block filler", () => {
  test("asks for a block only when there is something to put into it", () => {
    const { blocks, given, write } = filler();
    expect(blocks.rest()).toBeUndefined();
    expect(given).toHaveLength(0);
    write("ab");
    expect(given).toHaveLength(1);
    expect(write("cd")?.toString()).toBe("abcd");
    expect(blocks.rest()).toBeUndefined();
    expect(given).toHaveLength(1);
  });

  test("gives room for what is missing, and each block once it is full", () => {
    const { blocks, given, write } = filler();
    expect(blocks.room()).toHaveLength(4);
    expect(write("abc")).toBeUndefined();
    expect(blocks.room()).toHaveLength(1);
    expect(write("d")?.toString()).toBe("abcd");
    expect(write("efgh")?.toString()).toBe("efgh");
    expect(given.map(String)).toEqual(["abcd", "efgh"]);
  });

  test("gives the rest of a block that is not full, and goes on in another", () => {
    const { blocks, given, write } = filler();
    write("ab");
    expect(blocks.rest()?.toString()).toBe("ab");
    expect(blocks.rest()).toBeUndefined();
    expect(write("cdef")?.toString()).toBe("cdef");
    expect(given.map(String)).toEqual(["ab..", "cdef"]);
  });

  test("goes on in another block also when nothing had been put into the one before", () => {
    const { blocks, given, write } = filler();
    blocks.room();
    expect(blocks.rest()).toBeUndefined();
    expect(write("abcd")?.toString()).toBe("abcd");
    expect(given.map(String)).toEqual(["....", "abcd"]);
  });

  test("copies pieces of any length", () => {
    const random = randomNumbers(7);
    const { blocks, given } = filler();
    const pieces = Array.from({ length: 200 }, (_, i) =>
      Buffer.from(String.fromCharCode(97 + (i % 26)).repeat(Math.floor(random() * 15))),
    );
    const full = pieces.flatMap((piece) => [...blocks.copy(piece)]);
    const rest = blocks.rest();
    const all = Buffer.concat(rest ? [...full, rest] : full);
    expect(all.equals(Buffer.concat(pieces))).toBe(true);
    expect(full.every((block) => block.length === 4)).toBe(true);
    expect(given).toHaveLength(Math.ceil(all.length / 4));
  });

  test("of one block gives the same memory again and again", () => {
    const blocks = new BlockFiller(oneBlock());
    const first = blocks.room();
    expect(first).toHaveLength(outputBlock);
    expect(blocks.advance(outputBlock)?.buffer).toBe(first.buffer);
    expect(blocks.room().buffer).toBe(first.buffer);
  });
});
