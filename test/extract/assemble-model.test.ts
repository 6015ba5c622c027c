import { expect, test } from "vitest";
import { StageError } from "../../src/errors.js";
import { Ambiguous, LayerModel, Refused } from "../support/layer-model.js";
import {
  assembleLayers,
  type LayerEntry,
  type Unpacked,
  unpackEntries,
} from "../support/layers.js";
import { randomLayer, randomNumbers } from "../support/random-layers.js";
import { scratchDirectory } from "../support/scratch-directory.js";
import { treeLines } from "../support/tree-lines.js";

type Stack = readonly (readonly LayerEntry[])[];

/** A stack of layers as the seed has it; sometimes one of its layers comes twice. */
function randomStack(seed: number): Stack {
  const random = randomNumbers(seed);
  const model = new LayerModel();
  const layers: (readonly LayerEntry[])[] = [];
  const count = 2 + Math.floor(random() * 4);
  while (layers.length < count) {
    const again = layers[Math.floor(random() * layers.length)];
    const layer = again && random() < 0.08 ? again : randomLayer(random, lowerPaths(model));
    layers.push(layer);
    expectation(() => {
      model.apply(layer);
      return undefined;
    });
  }
  return layers;
}

function lowerPaths(model: LayerModel): readonly string[] {
  return model.leafPaths();
}

type Expected = readonly string[] | "refused" | "ambiguous";

function expectation(act: () => readonly string[] | undefined): Expected {
  try {
    return act() ?? [];
  } catch (error) {
    if (error instanceof Refused) return "refused";
    if (error instanceof Ambiguous) return "ambiguous";
    throw error;
  }
}

function modelOf(layers: Stack): Expected {
  return expectation(() => {
    const model = new LayerModel();
    for (const layer of layers) model.apply(layer);
    return model.lines();
  });
}

/** A layer that comes twice is one tree, as it is in a cache. */
async function result(layers: Stack): Promise<Expected> {
  const trees = new Map<readonly LayerEntry[], Unpacked>();
  try {
    for (const layer of layers) {
      if (!trees.has(layer)) {
        trees.set(layer, await unpackEntries(layer, { into: scratchDirectory() }));
      }
    }
    const rootfs = assembleLayers(layers.flatMap((layer) => trees.get(layer) ?? []));
    return treeLines(rootfs);
  } catch (error) {
    if (error instanceof StageError && error.code === "IMAGE_INVALID") return "refused";
    throw error;
  }
}

function shown(seed: number, layers: Stack): string {
  const lines = layers.map((layer, i) => {
    const entries = layer.map(({ type, name, linkName }) => `${type} ${name} ${linkName ?? ""}`);
    return `layer ${i}:\n  ${entries.join("\n  ")}`;
  });
  return `seed ${seed}\n${lines.join("\n")}\n`;
}

/** What is tried is always the same; other seeds and more stacks on demand. */
const firstSeed = Number(process.env["STAGE_ROOTFS_TEST_SEED"] ?? 20_240_101);
const count = Number(process.env["STAGE_ROOTFS_TEST_STACKS"] ?? 120);

test(`${count} random stacks from seed ${firstSeed} on are put together as the spec says`, async () => {
  const outcomes = { compared: 0, refused: 0, ambiguous: 0 };
  for (let seed = firstSeed; seed < firstSeed + count; seed++) {
    const layers = randomStack(seed);
    const expected = modelOf(layers);
    const found = await result(layers);
    if (expected === "ambiguous") outcomes.ambiguous++;
    else {
      outcomes[expected === "refused" ? "refused" : "compared"]++;
      expect(found, shown(seed, layers)).toEqual(expected);
    }
  }
  expect(outcomes.compared).toBeGreaterThan(count / 2);
}, 600_000);
