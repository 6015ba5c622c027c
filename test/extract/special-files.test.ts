import { describe, expect, test } from "vitest";
import {
  directory,
  file,
  hardLink,
  type LayerEntry,
  stack,
  unpackEntries,
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
  test("by a directory lets that one merge with the lower layer's", async () => {
    const rootfs = await stack(
      [directory("d"), file("d/low")],
      [device("d"), directory("d"), file("d/new")],
    );
    expect(Object.keys(contents(rootfs))).toEqual(["d", "d/low", "d/new"]);
  });
});
