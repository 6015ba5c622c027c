import { type ErrorReport, StageError } from "../errors.js";
import { type AssembleTask, assembleRootfs } from "./assemble-rootfs.js";
import type { LayerRecord } from "./layer-record.js";
import { type UnpackLayerTask, unpackLayer } from "./unpack-layer.js";

/** A result that survives the way between threads, where errors lose their class. */
export type Outcome<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly error: ErrorReport };

/** {@link unpackLayer}, in a worker thread. */
export async function unpack(task: UnpackLayerTask): Promise<Outcome<LayerRecord>> {
  return await outcome(() => unpackLayer(task));
}

/** {@link assembleRootfs}, in a worker thread. */
export async function assemble(task: AssembleTask): Promise<Outcome<void>> {
  return await outcome(() => assembleRootfs(task));
}

async function outcome<Value>(work: () => Value | Promise<Value>): Promise<Outcome<Value>> {
  try {
    return { ok: true, value: await work() };
  } catch (error) {
    if (error instanceof StageError) return { ok: false, error: error.toReport() };
    throw error;
  }
}
