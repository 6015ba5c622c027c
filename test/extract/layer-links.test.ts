import { describe, expect, test } from "vitest";
import { directory, file, hardLink, symlink, unpackEntries } from "../support/layers.js";
import { rejection } from "../support/refusal.js";
import { contents, inodeOf, modeOf } from "../support/tree-contents.js";

describe("hard links within a layer", () => {
  test("are further names of one file", async () => {
    const { tree, record } = await unpackEntries([
      file("a", "content", { mode: 0o640 }),
      hardLink("b", "a"),
      hardLink("d/c", "/a"),
      hardLink("e", "./d/c"),
    ]);
    expect(new Set(["a", "b", "d/c", "e"].map((path) => inodeOf(tree, path))).size).toBe(1);
    expect(modeOf(tree, "d/c")).toBe(0o640);
    expect(record.links).toEqual([]);
    expect(record.unpackedSize).toBe(7);
  });

  test("keep their content when the first name is replaced", async () => {
    const { tree } = await unpackEntries([file("a", "old"), hardLink("b", "a"), file("a", "new")]);
    expect(contents(tree)).toEqual({ a: "new", b: "old" });
  });

  test("keep their content when the first name is replaced by a directory", async () => {
    const { tree } = await unpackEntries([file("a", "old"), hardLink("b", "a"), file("a/f")]);
    expect(contents(tree)).toEqual({ a: "/", "a/f": "a/f", b: "old" });
  });

  test("keep their content when a whiteout names the first name", async () => {
    const { tree, record } = await unpackEntries([
      file("a", "old"),
      hardLink("b", "a"),
      file(".wh.a", ""),
    ]);
    expect(contents(tree)).toEqual({ a: "old", b: "old" });
    expect(record.whiteouts).toEqual(["a"]);
  });

  test("take the place of what stood there, a directory too", async () => {
    const { tree } = await unpackEntries([
      file("a"),
      file("f", "old"),
      file("d/sub/f"),
      symlink("l", "/elsewhere"),
      hardLink("f", "a"),
      hardLink("d", "a"),
      hardLink("l", "a"),
    ]);
    expect(contents(tree)).toEqual({ a: "a", d: "a", f: "a", l: "a" });
  });

  test("to a symbolic link are further names of the link, not of its target", async () => {
    const { tree } = await unpackEntries([
      file("f"),
      symlink("l", "f"),
      hardLink("h", "l"),
      symlink("dangling", "/nowhere"),
      hardLink("g", "dangling"),
    ]);
    expect(contents(tree)).toMatchObject({ h: "-> f", g: "-> /nowhere" });
    expect(inodeOf(tree, "h")).toBe(inodeOf(tree, "l"));
  });

  test("find their target through links among its parents", async () => {
    const { tree } = await unpackEntries([
      file("d/f"),
      symlink("l", "/d"),
      hardLink("h", "l/f"),
      hardLink("l/g", "h"),
    ]);
    expect(inodeOf(tree, "h")).toBe(inodeOf(tree, "d/f"));
    expect(inodeOf(tree, "d/g")).toBe(inodeOf(tree, "d/f"));
  });

  test("to themselves change nothing", async () => {
    const { tree, record } = await unpackEntries([
      file("d/a", "content"),
      hardLink("d/a", "d/a"),
      symlink("l", "d"),
      hardLink("l/a", "/d/a"),
    ]);
    expect(contents(tree)).toEqual({ d: "/", "d/a": "content", l: "-> d" });
    expect(record.links).toEqual([]);
  });

  test("with non-UTF-8 names are made too", async () => {
    const { tree } = await unpackEntries([file("\xff"), hardLink("\xfe\xe9", "\xff")]);
    expect(inodeOf(tree, "\xfe\xe9")).toBe(inodeOf(tree, "\xff"));
  });

  test.each([
    ["a directory", [directory("d"), hardLink("h", "d")]],
    ["a directory that no entry describes", [file("d/f"), hardLink("h", "d")]],
    ["the root", [hardLink("h", "/")]],
    ["the directory that it lies in", [file("d/f"), hardLink("d/h", "d")]],
    ["a path with ..", [file("f"), hardLink("d/h", "d/../f")]],
    ["no name", [hardLink("h", "")]],
    ["what lies below its own name", [file("d/f"), hardLink("d", "d/f")]],
    ["what lies further below its own name", [file("d/e/f"), hardLink("d", "d/e/f")]],
  ])("to %s are refused", async (_, entries) => {
    expect((await rejection(unpackEntries(entries))).code).toBe("IMAGE_INVALID");
  });
});

describe("hard links to what the layer does not have yet", () => {
  test("are put on record for the lower layers", async () => {
    const { tree, record } = await unpackEntries([
      hardLink("d/h", "usr/bin/x"),
      hardLink("g", "f"),
    ]);
    expect(contents(tree)).toEqual({ d: "/" });
    expect(record.links).toEqual([
      ["d/h", "usr/bin/x"],
      ["g", "f"],
    ]);
  });

  test("stay on record when the layer has the target later", async () => {
    const { record } = await unpackEntries([hardLink("h", "f"), file("f")]);
    expect(record.links).toEqual([["h", "f"]]);
  });

  test("and links to these wait for the same file", async () => {
    const { record } = await unpackEntries([
      hardLink("a", "lower"),
      hardLink("b", "a"),
      hardLink("c", "b"),
    ]);
    expect(record.links).toEqual([
      ["a", "lower"],
      ["b", "lower"],
      ["c", "lower"],
    ]);
  });

  test("are forgotten when something else takes their name", async () => {
    const { record } = await unpackEntries([
      hardLink("a", "lower"),
      file("a"),
      hardLink("b", "lower"),
      directory("b"),
      hardLink("c", "lower"),
      file("c/below"),
      hardLink("d/e", "lower"),
      symlink("d", "x"),
      hardLink("g", "lower"),
      { type: "3", name: "g" },
      hardLink("h", "lower"),
      hardLink("h", "c/below"),
    ]);
    expect(record.links).toEqual([]);
  });

  test("take the place of what the layer had under their name", async () => {
    const { tree, record } = await unpackEntries([
      file("a/sub/f"),
      hardLink("a", "lower"),
      file("b"),
      hardLink("b", "lower"),
    ]);
    expect(contents(tree)).toEqual({});
    expect(record.implied).toEqual([""]);
    expect(record.links).toEqual([
      ["a", "lower"],
      ["b", "lower"],
    ]);
  });

  test("still wait when they are linked to themselves", async () => {
    const { record } = await unpackEntries([hardLink("a", "lower"), hardLink("a", "a")]);
    expect(record.links).toEqual([["a", "lower"]]);
  });
});
