import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { isHollow } from "../../../src/launch/grants/is-hollow.js";
import { type FileSet, writeFiles } from "../../support/file-set.js";
import { scratchDirectory } from "../../support/scratch-directory.js";

test.each<{ what: string; files: FileSet; answer: boolean }>([
  { what: "nothing", files: new Map(), answer: true },
  {
    what: "places to mount on",
    files: new Map([
      ["a/b/file", ""],
      ["c", ""],
    ]),
    answer: true,
  },
  { what: "a file with content", files: new Map([["a/b", "x"]]), answer: false },
  { what: "a link", files: new Map([["a/b", { symlink: "x" }]]), answer: false },
  {
    what: "more empty files than anybody mounts on",
    files: new Map(Array.from({ length: 1001 }, (_, i) => [`f${i}`, ""])),
    answer: false,
  },
])("a directory with $what is hollow: $answer", ({ files, answer }) => {
  const directory = join(scratchDirectory(), "d");
  mkdirSync(directory);
  expect(isHollow(writeFiles(directory, files))).toBe(answer);
});
