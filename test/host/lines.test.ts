import { Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import { eachLine, longestLine } from "../../src/host/lines.js";

async function linesOf(...chunks: readonly (string | Buffer)[]): Promise<readonly string[]> {
  const lines: string[] = [];
  await eachLine(Readable.from(chunks.map((chunk) => Buffer.from(chunk))), (line) => {
    lines.push(line);
  });
  return lines;
}

describe("the lines of a stream", () => {
  const cases = [
    [["a\nb\n"], ["a", "b"]],
    [["a\nb"], ["a", "b"]],
    [
      ["a", "b\n", "\nc\r\n"],
      ["ab", "", "c"],
    ],
    [[Buffer.from([0xc3]), Buffer.from([0xbc, 0x0a])], ["ü"]],
    [[], []],
  ] as const;

  test.for(cases)("%j are %j", async ([chunks, lines]) => {
    expect(await linesOf(...chunks)).toEqual(lines);
  });

  test("are cut where they go on and on, and the next one is whole", async () => {
    const piece = Buffer.alloc(longestLine / 2 + 1, "x");
    const [first, ...others] = await linesOf(...Array(20).fill(piece), "\nnext\n");
    expect(first?.length).toBeLessThanOrEqual(longestLine + 1);
    expect(others).toEqual(["next"]);
  });
});
