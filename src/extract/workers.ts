import { fileURLToPath } from "node:url";
import { Tinypool } from "tinypool";
import { fromSystemError, StageError } from "../errors.js";
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
  // A thread that can't be started fails all that waits for one.
  const broken = new Promise<never>((_, reject) => {
    pool.on("error", (error: unknown) => reject(fromSystemError(error, "start a worker thread")));
  });
  broken.catch(() => undefined);
  const run = async (name: string, task: UnpackLayerTask | AssembleTask) =>
    await Promise.race([pool.run(task, { name }), broken]);
  return {
    unpack: async (task) => unwrap<LayerRecord>(await run("unpack", task)),
    assemble: async (task) => unwrap<void>(await run("assemble", task)),
    close: () => pool.destroy(),
  };
}

function unwrap<Value>(outcome: Outcome<Value>): Value {
  if (outcome.ok) return outcome.value;
  throw StageError.fromReport(outcome.error);
}
