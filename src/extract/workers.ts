import { fileURLToPath } from "node:url";
import { Tinypool } from "tinypool";
import { StageError } from "../errors.js";
import type { AssembleTask } from "./assemble-rootfs.js";
import type { LayerRecord } from "./layer-record.js";
import type { UnpackLayerTask } from "./unpack-layer.js";
import type { Outcome } from "./worker.js";

/** Threads that unpack and assemble, so that the main thread stays free to keep locks alive. */
export interface Workers {
  /** @throws what {@link unpackLayer} throws */
  unpack(task: UnpackLayerTask): Promise<LayerRecord>;
  /** @throws what {@link assembleRootfs} throws */
  assemble(task: AssembleTask): Promise<void>;
  /** Stops all work at once; resolves when no thread can touch a file any more. */
  close(): Promise<void>;
}

/** @param count how many layers are unpacked side by side at most */
export function startWorkers(count: number): Workers {
  const pool = new Tinypool({
    filename: fileURLToPath(new URL("./worker.js", import.meta.url)),
    minThreads: 1,
    maxThreads: count,
    // Threads that wait for the next layer are worth keeping for as long as the pool lives.
    idleTimeout: 60_000,
  });
  return {
    async unpack(task) {
      return unwrap(await pool.run(task, { name: "unpack" }));
    },
    async assemble(task) {
      return unwrap(await pool.run(task, { name: "assemble" }));
    },
    close: () => pool.destroy(),
  };
}

function unwrap<Value>(outcome: Outcome<Value>): Value {
  if (outcome.ok) return outcome.value;
  throw StageError.fromReport(outcome.error);
}
