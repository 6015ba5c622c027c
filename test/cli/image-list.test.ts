import { writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { imagesOf, parseList } from "../../src/cli/image-list.js";
import { rejection } from "../support/refusal.js";
import { scratchDirectory } from "../support/scratch-directory.js";

describe("parseList", () => {
  test.each<[what: string, text: string, images: readonly string[]]>([
    ["one reference a line", "a.tar\ndocker://b:1\n", ["a.tar", "docker://b:1"]],
    ["no newline at the end", "a.tar\nb.tar", ["a.tar", "b.tar"]],
    ["blank lines and comments", "# all\n\n  \na.tar\n  # not b\n#b.tar\n", ["a.tar"]],
    ["a # within a reference", "repx:lab#tool\n", ["repx:lab#tool"]],
    ["what Windows writes", "\uFEFFa.tar\r\n\r\n# c\r\nb.tar\r\n", ["a.tar", "b.tar"]],
    ["space around, and within", "\t a b.tar  \n", ["a b.tar"]],
    ["nothing", "", []],
  ])("takes %s", (_, text, images) => {
    expect(parseList(text)).toEqual(images);
  });
});

function listFile(text: string): string {
  const path = `${scratchDirectory()}/list`;
  writeFileSync(path, text);
  return path;
}

function images(words: readonly string[], file: readonly string[] = [], lab?: string) {
  return imagesOf({ words, rest: undefined, values: { file, ...(lab !== undefined && { lab }) } });
}

describe("the images of a command line", () => {
  test("are its words and then those of its lists, each once", async () => {
    const [first, second] = [listFile("b\na\n"), listFile("c\nb\n")];
    expect(await images(["a"], [first, second, first])).toEqual(["a", "b", "c"]);
  });

  test("are those of a Lab also where a list has their names", async () => {
    expect(await images([], [listFile("tool\n")], "/lab")).toEqual(["repx:/lab#tool"]);
  });

  test.each<[what: string, words: readonly string[], file: () => string[], code: string, RegExp]>([
    ["none", [], () => [], "USAGE", /^no image was named/],
    ["an empty list", ["a"], () => [listFile("# none\n")], "NOT_FOUND", /list names no image/],
    [
      "a missing list",
      ["a"],
      () => ["/nowhere/list"],
      "NOT_FOUND",
      /cannot read the list \/nowhere/,
    ],
    ["a directory", [], () => [scratchDirectory()], "NOT_FOUND", /no list of images: it is a dir/],
    ["a list without end", [], () => ["/dev/zero"], "NOT_FOUND", /is larger than 16777216 bytes/],
  ])("can't be %s", async (_, words, file, code, message) => {
    const error = await rejection(images(words, file()));
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
  });
});
