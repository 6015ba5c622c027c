import { mkdirSync } from "node:fs";
import * as fc from "fast-check";
import { describe, expect } from "vitest";
import type { ByteString } from "../../src/host/byte-string.js";
import { removeTree } from "../../src/host/remove-tree.js";
import { type Stack, shownStack, stacks } from "../support/arbitrary-stacks.js";
import { checkProperty } from "../support/check-property.js";
import { writeFiles } from "../support/file-set.js";
import { fuzzSettings } from "../support/fuzz-settings.js";
import { Ambiguous } from "../support/layer-doubts.js";
import { type Described, LayerModel, Refused } from "../support/layer-model.js";
import { byPath, nameOf, parentOf } from "../support/layer-names.js";
import { assembleLayers, type LayerEntry, packLayer } from "../support/layers.js";
import { LayoutBuilder, named } from "../support/oci-layout.js";
import { unpackStack } from "../support/stack-on-disk.js";
import { treeLines } from "../support/tree-lines.js";
import { freshCacheDir } from "./support/cache-dir.js";
import { testNeeding } from "./support/programs.js";
import { umociUnpack } from "./support/umoci.js";
import { isRoot } from "./support/users.js";

/** As archivers write layers, and as umoci needs it: parents first, and markers before siblings. */
function inOrder(entries: readonly LayerEntry[]): readonly LayerEntry[] {
  return [...entries].sort((a, b) => byPath(nameOf(a), nameOf(b)));
}

/** umoci makes devices, or files in their place. */
function isMade({ type }: LayerEntry): boolean {
  return !["3", "4", "6"].includes(type);
}

/** A layer that comes again is another one: umoci makes its files again, and we don't. */
function plainStacks(): fc.Arbitrary<Stack> {
  const plain = (entries: readonly LayerEntry[]) =>
    inOrder(entries.filter(isMade)).map((entry) => ({ ...entry }));
  return stacks().map((stack) => {
    return stack.map(({ entries, form }) => ({ entries: plain(entries), form }));
  });
}

/** The model of a stack that umoci takes as we do. */
function comparableModel(stack: Stack): LayerModel | undefined {
  const model = new LayerModel();
  try {
    for (const { entries } of stack) model.apply(entries);
    return model.remarks.liberties.size === 0 ? model : undefined;
  } catch (error) {
    if (error instanceof Refused || error instanceof Ambiguous) return undefined;
    throw error;
  }
}

/** Writes the stack as an image and lets umoci unpack it. @returns where to */
async function unpackByUmoci(stack: Stack, directory: string): Promise<string> {
  const builder = new LayoutBuilder();
  const image = builder.image({
    layers: stack.map(({ entries, form }) => packLayer(entries, form)),
  });
  const layout = writeFiles(`${directory}/image`, builder.finish({ ...image, ...named("tag") }));
  const dest = `${directory}/umoci`;
  await umociUnpack({ layout, tag: "tag" }, { dest });
  return dest;
}

/** Leaves out what umoci does in another way. */
function withoutDifferences(model: LayerModel) {
  const implied = new Set(model.impliedDirectories());
  const disturbed = new Set([...model.remarks.madeOnTheWay].map(parentOf));
  return (path: ByteString, { mode, mtime, what }: Described): Described => ({
    // It keeps setuid and setgid bits, and its umask decides on directories that no entry describes.
    mode: implied.has(path) ? 0 : mode & ~0o6000,
    // These have the time of day, and so has what they were made in.
    mtime: implied.has(path) || disturbed.has(path) ? 0 : mtime,
    what,
  });
}

describe("random stacks of layers", () => {
  const test = testNeeding(["umoci"]);

  test("are put together as umoci does it", async () => {
    const directory = freshCacheDir(isRoot() ? "root" : "ordinary");
    await checkProperty(plainStacks(), {
      name: "umoci",
      runs: Math.ceil(fuzzSettings().runs / 50),
      show: shownStack,
      holds: async (stack) => {
        const model = comparableModel(stack);
        fc.pre(model !== undefined);
        const work = `${directory}/case`;
        mkdirSync(work);
        try {
          const theirs = await unpackByUmoci(stack, work);
          const ours = assembleLayers(await unpackStack(stack, work), { into: work });
          const adjust = withoutDifferences(model);
          expect(treeLines(ours, adjust)).toEqual(treeLines(theirs, adjust));
        } finally {
          removeTree(work);
        }
      },
    });
  });
});
