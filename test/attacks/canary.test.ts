import {
  chmodSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { describe, expect, test } from "vitest";
import { plantCanary, watchTree } from "../support/canary.js";
import { scratchDirectory } from "../support/scratch-directory.js";

describe("a canary notices", () => {
  const touches: readonly (readonly [string, (root: string) => void])[] = [
    ["new content of the same length", (root) => writeFileSync(`${root}/dir/below/f`, "")],
    ["a new file", (root) => writeFileSync(`${root}/empty/new`, "")],
    ["a new directory", (root) => mkdirSync(`${root}/odd/new`)],
    ["a file that is gone", (root) => rmSync(`${root}/dir/f`)],
    ["a directory that is gone", (root) => rmdirSync(`${root}/empty`)],
    ["another name", (root) => renameSync(`${root}/f`, `${root}/g`)],
    ["another mode", (root) => chmodSync(`${root}/dir`, 0o777)],
    ["the same mode, set once more", (root) => chmodSync(`${root}/f`, 0o644)],
    ["another time", (root) => utimesSync(`${root}/f`, 1_000_000, 2_000_001)],
    ["another time of a link", (root) => lutimesSync(`${root}/l`, 1_000_000, 2_000_001)],
    ["one more hard link, elsewhere", (root) => linkSync(`${root}/f`, `${root}/aside/f`)],
    [
      "a link that leads elsewhere",
      (root) => {
        rmSync(`${root}/l`);
        symlinkSync("odd", `${root}/l`);
      },
    ],
  ];

  test.each(touches)("%s", (_, touch) => {
    const root = scratchDirectory();
    plantCanary(root);
    mkdirSync(`${root}/aside`);
    const canary = watchTree(root, [`${root}/aside`]);
    expect(() => canary.check()).not.toThrow();
    touch(root);
    expect(() => canary.check()).toThrow("the canary tree has changed");
  });

  test("nothing of what is left out", () => {
    const root = scratchDirectory();
    plantCanary(root);
    mkdirSync(`${root}/aside`);
    const canary = watchTree(root, [`${root}/aside`]);
    writeFileSync(`${root}/aside/f`, "");
    chmodSync(`${root}/aside`, 0o700);
    expect(() => canary.check()).not.toThrow();
  });
});
