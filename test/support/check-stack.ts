import { expect } from "vitest";
import { Ambiguous } from "./layer-doubts.js";
import { LayerModel } from "./layer-model.js";
import { type LayerEntry, stack } from "./layers.js";
import { contents } from "./tree-contents.js";
import { treeLines } from "./tree-lines.js";

/** The entries of each layer, the base first. */
export type Layers = readonly (readonly LayerEntry[])[];

/** A stack of layers and what its rootfs holds. */
export type StackCase = readonly [name: string, layers: Layers, expected: Record<string, string>];

/** Checks a stack against what is stated, and against the model wherever it has an opinion. */
export async function checkStack(layers: Layers, expected: Record<string, string>): Promise<void> {
  const rootfs = await stack(...layers);
  expect(contents(rootfs)).toEqual(expected);
  const model = new LayerModel();
  try {
    for (const layer of layers) model.apply(layer);
  } catch (error) {
    if (error instanceof Ambiguous) return;
    throw error;
  }
  expect(treeLines(rootfs)).toEqual(model.lines());
}
