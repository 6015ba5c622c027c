import { mkdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { StageError } from "../../src/errors.js";
import { removeTree } from "../../src/host/remove-tree.js";
import { type Stack, shownStack, stacks } from "../support/arbitrary-stacks.js";
import { checkProperty } from "../support/check-property.js";
import { fuzzSettings, notWanted } from "../support/fuzz-settings.js";
import { Ambiguous } from "../support/layer-doubts.js";
import { LayerModel, Refused } from "../support/layer-model.js";
import { assembleLayers, type Unpacked } from "../support/layers.js";
import { stackDifferences } from "../support/listed-stack.js";
import { unpackStack } from "../support/stack-on-disk.js";
import { listing } from "../support/tree-contents.js";
import { treeLines } from "../support/tree-lines.js";
import { setUpBench } from "./bench.js";

const day = 24 * 3600 * 1000;
const { runs } = fuzzSettings();

/** What a stack comes to: the rootfs in lines, or why there is none. */
type Outcome = readonly string[] | string;

function expectation(stack: Stack): Outcome {
  const model = new LayerModel();
  try {
    for (const { entries } of stack) model.apply(entries);
    return model.lines();
  } catch (error) {
    if (error instanceof Refused) return "refused";
    if (error instanceof Ambiguous) return "ambiguous";
    throw error;
  }
}

async function outcomeOf(stage: () => Promise<string> | string): Promise<Outcome> {
  try {
    return treeLines(await stage());
  } catch (error) {
    if (error instanceof StageError && error.code === "IMAGE_INVALID") return error.message;
    throw error;
  }
}

/** Checks a property of stacks, giving each of them a directory to work in. */
async function checkStacks(
  property: { name: string; share: number },
  holds: (stack: Stack, directory: string) => Promise<void>,
): Promise<void> {
  const bench = setUpBench();
  const directory = `${bench.directory}/case`;
  try {
    await checkProperty(stacks(), {
      name: property.name,
      runs: Math.ceil((runs * property.share) / 100),
      show: shownStack,
      holds: async (stack) => {
        mkdirSync(directory);
        try {
          await holds(stack, directory);
        } finally {
          removeTree(directory);
        }
      },
    });
    bench.checkTidy();
    bench.canary.check();
  } finally {
    bench.remove();
  }
}

describe("random stacks of layers", () => {
  test("are put together as the spec says", { timeout: day }, async ({ skip }) => {
    skip(notWanted("stacks"), "FUZZ_TARGET asks for something else");
    const counts = { compared: 0, refused: 0, ambiguous: 0 };
    await checkStacks({ name: "stacks", share: 15 }, async (stack, directory) => {
      const expected = expectation(stack);
      const found = await outcomeOf(async () => {
        return assembleLayers(await unpackStack(stack, directory), { into: directory });
      });
      if (expected === "ambiguous") {
        counts.ambiguous++;
      } else if (expected === "refused") {
        counts.refused++;
        expect(found).toBeTypeOf("string");
      } else {
        counts.compared++;
        expect(found).toEqual(expected);
      }
    });
    process.stdout.write(`FUZZ_TARGET=stacks: ${JSON.stringify(counts)}\n`);
    // With fewer, the stacks would be no good.
    const enough = counts.compared > 1.5 * (counts.ambiguous + counts.refused);
    expect(enough || runs < 1000 || fuzzSettings().path !== undefined, "too few").toBe(true);
  });

  test("come to the same again, and leave their layers alone", { timeout: day }, async ({
    skip,
  }) => {
    skip(notWanted("again"), "FUZZ_TARGET asks for something else");
    await checkStacks({ name: "again", share: 5 }, async (stack, directory) => {
      const [first, second] = [`${directory}/first`, `${directory}/second`];
      for (const into of [first, second]) mkdirSync(into);
      const layers = await unpackedIfAllowed(stack, first);
      const anew = await unpackedIfAllowed(stack, second);
      expect(anew?.map(stateOf)).toEqual(layers?.map(stateOf));
      if (!layers) return;
      const before = layers.map(stateOf);
      const found = await outcomeOf(() => assembleLayers(layers, { into: first }));
      expect(layers.map(stateOf)).toEqual(before);
      expect(await outcomeOf(() => assembleLayers(layers, { into: second }))).toEqual(found);
    });
  });

  test("are what their listings say", { timeout: day }, async ({ skip }) => {
    skip(notWanted("listed"), "FUZZ_TARGET asks for something else");
    await checkStacks({ name: "listed", share: 5 }, async (stack, directory) => {
      const layers = await unpackedIfAllowed(stack, directory);
      if (!layers) return;
      const found = await outcomeOf(() => assembleLayers(layers, { into: directory }));
      const rootfs = typeof found === "string" ? undefined : `${directory}/rootfs`;
      expect(await stackDifferences(layers, rootfs)).toEqual([]);
    });
  });
});

async function unpackedIfAllowed(stack: Stack, directory: string) {
  try {
    return await unpackStack(stack, directory, { digests: "crc32" });
  } catch (error) {
    if (error instanceof StageError && error.code === "IMAGE_INVALID") return undefined;
    throw error;
  }
}

/** All there is to an unpacked layer. */
function stateOf({ tree, record }: Unpacked) {
  return { tree: listing(tree), record };
}
