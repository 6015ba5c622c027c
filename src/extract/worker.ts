import { type AssembleTask, assembleRootfs } from "./assemble-rootfs.js";
import type { LayerRecord } from "./layer-record.js";
import { type CrewEnd, joinCrew } from "./link-crew.js";
import { type Outcome, outcomeOf } from "./outcome.js";
import * as hashing from "./pipeline/hash-stage.js";
import * as inflating from "./pipeline/inflate-stage.js";
import * as making from "./pipeline/tree-stage.js";
import { type UnpackLayerTask, unpackLayer } from "./unpack-layer.js";

/** {@link unpackLayer}, in a worker thread. */
export async function unpack(task: UnpackLayerTask): Promise<Outcome<LayerRecord>> {
  return await outcomeOf(() => unpackLayer(task));
}

/** {@link assembleRootfs}, in a worker thread. */
export async function assemble(task: AssembleTask): Promise<Outcome<void>> {
  return await outcomeOf(() => assembleRootfs(task));
}

/** {@link joinCrew}, in a worker thread. */
export async function helpAssemble(end: CrewEnd): Promise<Outcome<void>> {
  return await outcomeOf(() => joinCrew(end));
}

/** {@link inflating.inflate}, in a worker thread. */
export async function inflate(task: inflating.InflateTask): Promise<Outcome<void>> {
  return await outcomeOf(() => inflating.inflate(task));
}

/** {@link hashing.hashBlocks}, in a worker thread. */
export async function hashBlocks(task: hashing.HashTask): Promise<Outcome<hashing.Hashes>> {
  return await outcomeOf(() => hashing.hashBlocks(task));
}

/** {@link making.makeTree}, in a worker thread. */
export async function makeTree(task: making.TreeTask): Promise<Outcome<LayerRecord>> {
  return await outcomeOf(() => making.makeTree(task));
}

/** {@link making.fillFiles}, in a worker thread. */
export async function fillFiles(task: making.FillTask): Promise<Outcome<void>> {
  return await outcomeOf(() => making.fillFiles(task));
}
