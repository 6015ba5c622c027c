import { describe, expect, test } from "vitest";
import { checkStack, type Layers, type StackCase } from "../support/check-stack.js";
import { directory, file, hardLink, opaque, stack, symlink, whiteout } from "../support/layers.js";
import { rejection } from "../support/refusal.js";

describe("hard links across layers", () => {
  const cases: readonly StackCase[] = [
    [
      "give a lower file another name",
      [[file("a", "x")], [hardLink("b", "a")]],
      { a: "x", b: "x" },
    ],
    [
      "keep the content when the same layer replaces the target",
      [[file("a", "old")], [hardLink("b", "a"), file("a", "new")]],
      { a: "new", b: "old" },
    ],
    [
      "keep the content when the same layer hides the target",
      [[file("a", "old")], [hardLink("b", "a"), whiteout("a")]],
      { b: "old" },
    ],
    [
      "keep the content when the target was hidden first",
      [[file("a", "old")], [whiteout("a"), hardLink("b", "a")]],
      { b: "old" },
    ],
    [
      "keep the content when the target's directory is made opaque",
      [[file("d/a", "old")], [opaque("d"), hardLink("d/b", "d/a")]],
      { d: "/", "d/b": "old" },
    ],
    [
      "keep the content when the target becomes a directory",
      [[file("a", "old")], [hardLink("b", "a"), file("a/f")]],
      { a: "/", "a/f": "a/f", b: "old" },
    ],
    [
      "keep the content when a later layer hides the target",
      [[file("a", "old")], [hardLink("b", "a")], [whiteout("a")]],
      { b: "old" },
    ],
    [
      "keep the content when a later layer replaces the target",
      [[file("a", "old")], [hardLink("b", "a")], [file("a", "new")], [directory("a")]],
      { a: "/", b: "old" },
    ],
    [
      "keep the content when a later layer hides the other name's directory",
      [[file("d/a", "old")], [hardLink("b", "d/a"), hardLink("d/c", "b")], [opaque("d")]],
      { b: "old", d: "/" },
    ],
    [
      "in a chain are one file",
      [[file("a", "x")], [hardLink("b", "a"), hardLink("c", "b")], [hardLink("d", "c")]],
      { a: "x", b: "x", c: "x", d: "x" },
    ],
    [
      "to a lower link are the link",
      [[file("a"), symlink("l", "a")], [hardLink("m", "l")]],
      { a: "a", l: "-> a", m: "-> a" },
    ],
    [
      "find their target through lower links",
      [[file("d/a", "x"), symlink("l", "/d")], [hardLink("b", "l/a")]],
      { b: "x", d: "/", "d/a": "x", l: "-> /d" },
    ],
    [
      "are placed through lower links",
      [[file("a", "x"), directory("d"), symlink("l", "/d")], [hardLink("l/b", "a")]],
      { a: "x", d: "/", "d/b": "x", l: "-> /d" },
    ],
    [
      "swap two names",
      [
        [file("a", "1"), file("b", "2")],
        [hardLink("t", "a"), hardLink("a", "b"), hardLink("b", "t")],
      ],
      { a: "2", b: "1", t: "1" },
    ],
    [
      "in an earlier place than their target within the layer",
      [[], [hardLink("b", "a"), file("a", "x")]],
      { a: "x", b: "x" },
    ],
    [
      "to the lower file, where the layer has a new one only later",
      [[file("a", "old")], [hardLink("b", "a"), file("a", "new")]],
      { a: "new", b: "old" },
    ],
    [
      "take the place of a directory",
      [[file("a", "x"), file("d/f")], [hardLink("d", "a")]],
      { a: "x", d: "x" },
    ],
    [
      "to themselves through a lower link change nothing",
      [
        [directory("d"), symlink("l", "d")],
        [hardLink("d/a", "l/a"), file("l/a", "x")],
      ],
      { d: "/", "d/a": "x", l: "-> d" },
    ],
    ["to themselves change nothing", [[file("a", "x")], [hardLink("a", "a")]], { a: "x" }],
  ];

  test.each(cases)("%s", async (_, layers, expected) => {
    await checkStack(layers, expected);
  });

  const missing: readonly (readonly [string, Layers])[] = [
    ["what no layer has", [[file("a")], [hardLink("b", "nothing")]]],
    ["what a lower layer has hidden", [[file("a")], [whiteout("a")], [hardLink("b", "a")]]],
    ["what only a later layer has", [[hardLink("b", "a")], [file("a")]]],
    ["a lower directory", [[file("d/f")], [hardLink("b", "d")]]],
    ["what lies below a file", [[file("a")], [hardLink("b", "a/f")]]],
    ["what lies below a dangling link", [[symlink("l", "x")], [hardLink("b", "l/f")]]],
    ["what is itself such a link", [[], [hardLink("b", "c"), hardLink("c", "b")]]],
  ];

  test.each(missing)("to %s are refused by name", async (_, layers) => {
    const error = await rejection(stack(...layers));
    expect(error.code).toBe("IMAGE_INVALID");
    expect(error.message).toContain("b is a hard link to");
  });

  test("in the place of what their target lies in, by way of a link, are refused", async () => {
    const attempt = stack([symlink("l", "d")], [hardLink("d", "l/a"), file("l/a", "x")]);
    const error = await rejection(attempt);
    expect(error.code).toBe("IMAGE_INVALID");
    expect(error.message).toContain("replaces the directory d that it adds to");
  });
});
