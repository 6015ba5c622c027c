import { workerData } from "node:worker_threads";
import { heedLoadingGate } from "../host/loading-gate.js";
import { type AssemblyPlace, assembleAsTheyCome } from "./assemble-rootfs.js";
import { type DigestTask, digestFiles, type FileDigested } from "./check/digest-files.js";
import { type LayerPort, layersFrom } from "./layer-feed.js";
import type { LayerRecord } from "./layer-record.js";
import { type CrewEnd, joinLinkCrew } from "./link-crew.js";
import { type Outcome, outcomeOf } from "./outcome.js";
import * as hashing from "./pipeline/hash-stage.js";
import * as inflating from "./pipeline/inflate-stage.js";
import * as making from "./pipeline/tree-stage.js";
import { type UnpackLayerTask, unpackLayer } from "./unpack-layer.js";

// The pool puts data of its own before.
const given: unknown = Array.isArray(workerData) ? workerData[1] : undefined;
if (given instanceof SharedArrayBuffer) heedLoadingGate(given);

/** {@link unpackLayer}, in a worker thread. */
export async function unpack(task: UnpackLayerTask): Promise<Outcome<LayerRecord>> {
  return await outcomeOf(() => unpackLayer(task));
}

/** {@link assembleAsTheyCome}, in a worker thread. */
export async function assemble(
  task: AssemblyPlace & { layers: LayerPort; crew: CrewEnd },
): Promise<Outcome<void>> {
  return await outcomeOf(() => assembleAsTheyCome(layersFrom(task.layers), task));
}

/** {@link joinLinkCrew}, in a worker thread. */
export async function joinCrew(crew: CrewEnd): Promise<Outcome<void>> {
  return await outcomeOf(() => joinLinkCrew(crew));
}

/** {@link digestFiles}, in a worker thread. */
export async function digest(task: DigestTask): Promise<Outcome<readonly FileDigested[]>> {
  return await outcomeOf(() => digestFiles(task));
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
export async function fillFiles(task: making.FillTask): Promise<Outcome<string | null>> {
  return await outcomeOf(() => making.fillFiles(task));
}
