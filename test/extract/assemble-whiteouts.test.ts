import { describe, expect, test } from "vitest";
import { checkStack, type StackCase } from "../support/check-stack.js";
import { directory, file, hardLink, opaque, stack, symlink, whiteout } from "../support/layers.js";
import { rejection } from "../support/refusal.js";
import { contents, modeOf, mtimeOf } from "../support/tree-contents.js";

describe("whiteouts", () => {
  const cases: readonly StackCase[] = [
    ["hide a file", [[file("a"), file("b")], [whiteout("a")]], { b: "b" }],
    ["hide a directory with all below", [[file("d/e/f"), file("b")], [whiteout("d")]], { b: "b" }],
    ["hide a link, not its target", [[file("a"), symlink("l", "a")], [whiteout("l")]], { a: "a" }],
    [
      "hide a directory link, not its target",
      [[file("d/f"), symlink("l", "d")], [whiteout("l")]],
      { d: "/", "d/f": "d/f" },
    ],
    [
      "of what no layer has change nothing",
      [[file("a")], [whiteout("x"), whiteout("x/y"), whiteout("a/b")]],
      { a: "a" },
    ],
    ["leave their directory, empty", [[file("d/f")], [whiteout("d/f")]], { d: "/" }],
    [
      "before the name comes again let the new one stand",
      [[file("a", "old")], [whiteout("a"), file("a", "new")]],
      { a: "new" },
    ],
    [
      "after the name came again let the new one stand",
      [[file("a", "old")], [file("a", "new"), whiteout("a")]],
      { a: "new" },
    ],
    [
      "before a directory comes again let the new content stand alone",
      [[file("d/old")], [whiteout("d"), directory("d"), file("d/new")]],
      { d: "/", "d/new": "d/new" },
    ],
    [
      "after a directory came again let the new content stand alone",
      [[file("d/old")], [directory("d"), file("d/new"), whiteout("d")]],
      { d: "/", "d/new": "d/new" },
    ],
    [
      "of a directory and of what lies in it are one",
      [
        [file("d/a"), file("d/b")],
        [whiteout("d/a"), whiteout("d"), file("d/c")],
      ],
      { d: "/", "d/c": "d/c" },
    ],
    ["take effect for later layers alone", [[whiteout("a")], [file("a")]], { a: "a" }],
    [
      "are undone by a later layer",
      [[file("a", "1")], [whiteout("a")], [file("a", "3")]],
      { a: "3" },
    ],
    [
      "reach through all layers below",
      [[file("d/1")], [file("d/2")], [file("d/3")], [whiteout("d")]],
      {},
    ],
    [
      "below a link of a lower layer mean its target",
      [[file("d/f"), file("d/g"), symlink("l", "d")], [whiteout("l/f")]],
      { d: "/", "d/g": "d/g", l: "-> d" },
    ],
    [
      "below an absolute link of a lower layer mean its target",
      [[file("x/d/f"), symlink("l", "/x/d")], [whiteout("l/f")]],
      { l: "-> /x/d", x: "/", "x/d": "/" },
    ],
    [
      "below a chain of links mean its end",
      [[file("d/f"), symlink("l", "m"), symlink("m", "./d")], [whiteout("l/f")]],
      { d: "/", l: "-> m", m: "-> ./d" },
    ],
    [
      "below a dangling link change nothing",
      [[symlink("l", "nowhere")], [whiteout("l/f")]],
      { l: "-> nowhere" },
    ],
    ["below a file change nothing", [[file("f")], [whiteout("f/x")]], { f: "f" }],
    [
      "below a link that becomes a directory do not mean its target",
      [
        [file("d/f"), symlink("l", "d")],
        [directory("l"), whiteout("l/f")],
      ],
      { d: "/", "d/f": "d/f", l: "/" },
    ],
    [
      "below a second link that becomes a directory do not mean its target",
      [
        [file("e/f"), directory("d"), symlink("d/s", "../e"), symlink("l", "d")],
        [directory("l/s"), whiteout("l/s/f")],
      ],
      { d: "/", "d/s": "/", e: "/", "e/f": "e/f", l: "-> d" },
    ],
    [
      "of names that are no UTF-8",
      [[file("\xff/\xfe"), file("\xff/a")], [whiteout("\xff/\xfe")]],
      { "\xff": "/", "\xff/a": "\xff/a" },
    ],
    [
      "below what the layer makes a file",
      [[directory("a/b")], [whiteout("a/b/c"), whiteout("a/x/y"), file("a")]],
      { a: "a" },
    ],
    [
      "of any type, and with content, hide the same",
      [
        ["a", "b", "c", "d", "e"].map((name) => file(name)),
        [
          file(".wh.a", "content"),
          directory(".wh.b"),
          symlink(".wh.c", "/etc"),
          hardLink(".wh.d", "nothing"),
          { type: "3", name: ".wh.e" },
        ],
      ],
      {},
    ],
  ];

  test.each(cases)("%s", async (_, layers, expected) => {
    await checkStack(layers, expected);
  });
});

describe("markers that meet, whatever their order", () => {
  const linked = [file("d/f"), symlink("l", "d")];
  const cases: readonly StackCase[] = [
    [
      "leave the target of a link alone that one of them hides",
      [linked, [whiteout("l"), whiteout("l/f")]],
      { d: "/", "d/f": "d/f" },
    ],
    [
      "leave it alone where the other is opaque",
      [linked, [whiteout("l"), opaque("l")]],
      { d: "/", "d/f": "d/f" },
    ],
    [
      "leave the target of a link alone in a directory that is opaque",
      [
        [file("d/f"), symlink("p/l", "../d")],
        [opaque("p"), whiteout("p/l/f"), opaque("p/l")],
      ],
      { d: "/", "d/f": "d/f", p: "/" },
    ],
    [
      "leave the end of a chain of links alone where it is cut",
      [
        [...linked, symlink("k", "l")],
        [whiteout("l"), whiteout("k/f")],
      ],
      { d: "/", "d/f": "d/f", k: "-> l" },
    ],
    [
      "hide a loop of links, and nothing below it",
      [[symlink("l", "l")], [opaque(""), whiteout("l/f")]],
      {},
    ],
    [
      "follow a link of their own layer to what lower ones have",
      [
        [file("d/f"), file("d/g")],
        [symlink("x", "d"), whiteout("x/f")],
      ],
      { d: "/", "d/g": "d/g", x: "-> d" },
    ],
    [
      "follow a link of their own layer and not the one that it replaces",
      [
        [...linked, file("e/f")],
        [symlink("l", "e"), opaque("l")],
      ],
      { d: "/", "d/f": "d/f", e: "/", l: "-> e" },
    ],
  ];
  const ordered = cases.flatMap(([name, [lower = [], upper = []], expected]) => [
    [name, [lower, upper], expected] as const,
    [`${name} (reversed)`, [lower, [...upper].reverse()], expected] as const,
  ]);

  test.each(ordered)("%s", async (_, layers, expected) => {
    expect(contents(await stack(...layers))).toEqual(expected);
  });

  test("are refused below a loop of their own layer's links", async () => {
    const upper = [whiteout("a/b/c"), symlink("a", "a")];
    for (const entries of [upper, [...upper].reverse()]) {
      const error = await rejection(stack([directory("a")], entries));
      expect(error).toMatchObject({ code: "IMAGE_INVALID" });
      expect(error.message).toContain("too many symbolic links");
    }
  });
});

describe("opaque markers", () => {
  const cases: readonly StackCase[] = [
    [
      "hide what lower layers have in a directory",
      [
        [file("d/a"), file("d/e/f"), file("x")],
        [opaque("d"), file("d/new")],
      ],
      { d: "/", "d/new": "d/new", x: "x" },
    ],
    ["leave the directory where they stand alone", [[file("d/a")], [opaque("d")]], { d: "/" }],
    [
      "after the new content hide the same",
      [[file("d/a")], [file("d/a", "new"), file("d/b"), opaque("d")]],
      { d: "/", "d/a": "new", "d/b": "d/b" },
    ],
    [
      "in the root hide all",
      [
        [file("a"), file("d/f")],
        [opaque(""), file("new")],
      ],
      { new: "new" },
    ],
    [
      "in a nested directory hide what is there alone",
      [[file("a/b/c/f"), file("a/b/g")], [opaque("a/b/c")]],
      { a: "/", "a/b": "/", "a/b/c": "/", "a/b/g": "a/b/g" },
    ],
    [
      "within each other are one",
      [
        [file("a/b/f"), file("a/g")],
        [opaque("a"), opaque("a/b"), file("a/b/h")],
      ],
      { a: "/", "a/b": "/", "a/b/h": "a/b/h" },
    ],
    [
      "hide nothing of a directory that no lower layer has",
      [[file("x")], [opaque("d"), file("d/f")]],
      { d: "/", "d/f": "d/f", x: "x" },
    ],
    [
      "hide links and not their targets",
      [[file("a/f"), symlink("d/l", "../a")], [opaque("d")]],
      { a: "/", "a/f": "a/f", d: "/" },
    ],
    [
      "below a link that stays mean its target",
      [
        [file("d/f"), symlink("l", "d")],
        [opaque("l"), file("l/new")],
      ],
      { d: "/", "d/new": "l/new", l: "-> d" },
    ],
    [
      "do not empty the target of a link that becomes a directory",
      [
        [file("d/f"), symlink("l", "d")],
        [directory("l"), opaque("l")],
      ],
      { d: "/", "d/f": "d/f", l: "/" },
    ],
    [
      "do not empty the target of a second link that becomes a directory",
      [
        [file("e/f"), symlink("d/s", "/e"), symlink("l", "d")],
        [directory("l/s"), opaque("l/s")],
      ],
      { d: "/", "d/s": "/", e: "/", "e/f": "e/f", l: "-> d" },
    ],
    [
      "in the upper of two layers alone count",
      [[opaque("d"), file("d/1")], [file("d/2")]],
      { d: "/", "d/1": "d/1", "d/2": "d/2" },
    ],
  ];

  test.each(cases)("%s", async (_, layers, expected) => {
    await checkStack(layers, expected);
  });

  test("without new content keep the directory's mode and time", async () => {
    const rootfs = await stack(
      [directory("d", { mode: 0o711, mtime: 77 }), file("d/f")],
      [opaque("d")],
    );
    expect([modeOf(rootfs, "d"), mtimeOf(rootfs, "d")]).toEqual([0o711, 77]);
  });
});
