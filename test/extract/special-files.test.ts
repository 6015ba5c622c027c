import { describe, expect, test } from "vitest";
import {
  directory,
  file,
  hardLink,
  type LayerEntry,
  opaque,
  stack,
  symlink,
  unpackEntries,
  whiteout,
} from "../support/layers.js";
import { rejection } from "../support/refusal.js";
import { contents } from "../support/tree-contents.js";

const device = (name: string): LayerEntry => ({ type: "3", name });
const fifo = (name: string): LayerEntry => ({ type: "6", name });

describe("links to what is not made", () => {
  test("are not made either, and are counted", async () => {
    const { tree, record } = await unpackEntries([
      device("a"),
      hardLink("b", "a"),
      hardLink("c", "b"),
    ]);
    expect(contents(tree)).toEqual({});
    expect(record.skipped).toEqual(["a", "b", "c"]);
    expect(record.warnings).toMatchObject([{ code: "SPECIAL_SKIPPED", count: 3 }]);
  });

  test("in an upper layer hide what stands in their place", async () => {
    const rootfs = await stack(
      [fifo("pipe"), file("other"), directory("d"), file("d/f")],
      [hardLink("other", "pipe"), hardLink("d", "pipe")],
    );
    expect(contents(rootfs)).toEqual({});
  });

  test("never are links to what a lower layer has under the device's name", async () => {
    const rootfs = await stack([file("n", "lower")], [device("n"), hardLink("m", "n")]);
    expect(contents(rootfs)).toEqual({});
  });

  test("to nothing at all are refused as ever", async () => {
    const attempt = stack([device("a")], [hardLink("b", "nothing")]);
    expect(await rejection(attempt)).toMatchObject({ code: "IMAGE_INVALID" });
  });
});

describe("a device that a later entry of its layer replaces", () => {
  test("by a directory has taken the lower layer's one away", async () => {
    const rootfs = await stack(
      [directory("d"), file("d/low")],
      [device("d"), directory("d"), file("d/new")],
    );
    expect(Object.keys(contents(rootfs))).toEqual(["d", "d/new"]);
  });
});

describe("a device that is not made", () => {
  test("is what hard links in a later layer are to, also where that replaces it", async () => {
    const rootfs = await stack([device("a")], [hardLink("b", "a"), file("a")]);
    expect(contents(rootfs)).toEqual({ a: "a" });
  });

  const gone: readonly (readonly [how: string, LayerEntry])[] = [
    ["hides", whiteout("d/a")],
    ["hides the directory of", whiteout("d")],
    ["hides all in the directory of", opaque("d")],
    ["has a directory in place of", directory("d/a")],
  ];

  test.each(gone)("is no target for links any more when a layer %s it", async (_, entry) => {
    const attempt = stack([directory("d"), device("d/a")], [entry], [hardLink("b", "d/a")]);
    expect((await rejection(attempt)).message).toContain("b is a hard link to d/a");
  });

  test("takes the place of what is there where it would stand, and of nothing else", async () => {
    const rootfs = await stack(
      [file("d/a"), symlink("l", "d")],
      [whiteout("l"), device("l/a"), file("l/b")],
    );
    expect(contents(rootfs)).toEqual({ d: "/", "d/a": "d/a", l: "/", "l/b": "l/b" });
  });
});
