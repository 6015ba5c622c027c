import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { StageError } from "../../src/errors.js";
import {
  assembleLayers,
  directory,
  file,
  hardLink,
  type LayerEntry,
  opaque,
  symlink,
  type Unpacked,
  unpackEntries,
  whiteout,
} from "../support/layers.js";
import { scratchDirectory } from "../support/scratch-directory.js";
import { contents, listing } from "../support/tree-contents.js";

/** What stands beside the rootfs and must stay as it is. */
function canary(): string {
  const outside = scratchDirectory();
  mkdirSync(`${outside}/dir`);
  mkdirSync(`${outside}/empty`);
  writeFileSync(`${outside}/f`, "canary");
  writeFileSync(`${outside}/dir/f`, "canary");
  chmodSync(`${outside}/dir/f`, 0o640);
  return outside;
}

type Stack = readonly (readonly LayerEntry[])[];

/** Stacks of layers that try to reach what lies at the absolute path `out` of the host. */
const attacks: readonly (readonly [name: string, stack: (out: string) => Stack])[] = [
  [
    "a file below an absolute link of a lower layer",
    (out) => [[symlink("l", out)], [file("l/f"), file("l/new"), file("l/dir/f")]],
  ],
  [
    "a file below a relative link that climbs above the root",
    (out) => [[symlink("l", `../../../../../../..${out}`)], [file("l/f"), file("l/new")]],
  ],
  ["a file below a link of the same layer", (out) => [[symlink("l", out), file("l/f")]]],
  [
    "a directory that turns into a link while the layer is added to it",
    (out) => [
      [directory("b"), symlink("b/l", "/")],
      [symlink("b/l/b", out), file("b/new"), file("b/z")],
    ],
  ],
  [
    "the same, where the name exists outside and would be removed",
    (out) => [
      [directory("b"), symlink("b/l", "/")],
      [symlink("b/l/b", out), file("b/f"), file("b/z")],
    ],
  ],
  [
    "the same, with a whole directory of the outside",
    (out) => [
      [directory("b"), symlink("b/a", "..")],
      [symlink("b/a/b", out), directory("b/dir", { mode: 0o777 }), file("b/dir/new")],
    ],
  ],
  [
    "an ancestor that turns into a link",
    (out) => [
      [directory("a/b/c"), symlink("a/b/c/l", "/")],
      [symlink("a/b/c/l/a", out), directory("a/b/c/z", { mode: 0o777 }), file("a/b/c/z/f")],
    ],
  ],
  [
    "a directory whose mode and time would be set through a link",
    (out) => [
      [directory("b", { mode: 0o777 }), symlink("b/l", "/")],
      [directory("b", { mode: 0o777 }), symlink("b/l/b", `${out}/dir`)],
    ],
  ],
  [
    "a whiteout below a link",
    (out) => [[symlink("l", out)], [whiteout("l/f"), whiteout("l/dir"), whiteout("l/dir/f")]],
  ],
  ["an opaque marker below a link", (out) => [[symlink("l", out)], [opaque("l"), opaque("l/dir")]]],
  [
    "a whiteout below a link of the same layer",
    (out) => [
      [directory("l"), file("l/f")],
      [symlink("l", out), whiteout("l/f")],
    ],
  ],
  [
    "an opaque marker below a link of the same layer",
    (out) => [
      [directory("l"), file("l/f")],
      [symlink("l", out), opaque("l"), opaque("l/dir")],
    ],
  ],
  ["a hard link to a file below a link", (out) => [[symlink("l", out)], [hardLink("h", "l/f")]]],
  ["a hard link to an absolute path", (out) => [[file("x")], [hardLink("h", `${out}/f`)]]],
  [
    "a hard link whose name lies below a link",
    (out) => [
      [file("x"), symlink("l", out)],
      [hardLink("l/f", "x"), hardLink("l/new", "x")],
    ],
  ],
  [
    "a hard link to a link, and then content for it",
    (out) => [[symlink("l", `${out}/f`)], [hardLink("h", "l"), file("h", "pwned")]],
  ],
  [
    "a hard link to a link, in one layer, and then content for it",
    (out) => [[symlink("l", `${out}/f`), hardLink("h", "l"), file("h", "pwned")]],
  ],
  [
    "a hard link to a link to a directory, and then what lies below",
    (out) => [[symlink("l", out), hardLink("h", "l"), file("h/f", "pwned"), file("h/new")]],
  ],
  [
    "a directory entry through a link",
    (out) => [[symlink("l", out)], [directory("l/dir", { mode: 0o700, mtime: 7 })]],
  ],
  [
    "a directory entry in place of a link",
    (out) => [[symlink("l", `${out}/dir`)], [directory("l", { mode: 0o700, mtime: 7 })]],
  ],
  [
    "a file in place of a link",
    (out) => [[symlink("l", `${out}/f`)], [file("l", "pwned", { mode: 0o777 })]],
  ],
  [
    "a device in place of a link",
    (out) => [
      [symlink("l", `${out}/f`)],
      [
        { type: "3", name: "l" },
        { type: "6", name: "l/x" },
      ],
    ],
  ],
  [
    "a chain of links, the last of them out",
    (out) => [
      [symlink("a", "b"), symlink("b", "c/d"), directory("c"), symlink("c/d", out)],
      [file("a/f"), whiteout("a/dir"), hardLink("a/h", "a/f")],
    ],
  ],
  [
    "a link that appears in place of a directory in the layer after",
    (out) => [[file("d/f")], [symlink("d", out)], [file("d/f"), whiteout("d/dir"), opaque("d")]],
  ],
];

describe("whatever the layers say, nothing outside the rootfs is touched", () => {
  test.each(attacks)("%s", async (_name, layersFor) => {
    const outside = canary();
    const before = listing(outside);
    const unpacked: Unpacked[] = [];
    try {
      for (const entries of layersFor(outside)) unpacked.push(await unpackEntries(entries));
      const treesBefore = unpacked.map(({ tree }) => listing(tree));
      const rootfs = assembleLayers(unpacked);
      expect(Object.values(contents(rootfs))).not.toContain("canary");
      expect(unpacked.map(({ tree }) => listing(tree))).toEqual(treesBefore);
    } catch (error) {
      // To refuse such a stack is as good as to keep it inside.
      expect(error).toBeInstanceOf(StageError);
      expect(error).toMatchObject({ code: "IMAGE_INVALID" });
    }
    expect(listing(outside)).toEqual(before);
  });
});
