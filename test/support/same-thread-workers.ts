import { setTimeout as sleep } from "node:timers/promises";
import { assembleAsTheyCome } from "../../src/extract/assemble-rootfs.js";
import { digestFiles } from "../../src/extract/check/digest-files.js";
import { unpackLayer } from "../../src/extract/unpack-layer.js";
import type { Workers } from "../../src/extract/workers.js";
import { hasGrown } from "../../src/host/growth.js";

/** How often which work was done since the last look. */
export const workDone = { unpack: 0, assemble: 0 };

/**
 * Stands in for the threads, which can only load compiled sources: the same functions do the same
 * work, on the calling thread.
 */
export function startWorkers(): Workers {
  return {
    unpack: async (task) => {
      workDone.unpack++;
      const { growth, offset, size } = task.span;
      // A thread would wait for the bytes; this one is needed to bring them.
      while (growth && !hasGrown(growth, offset + size)) await sleep(1);
      return await unpackLayer(task);
    },
    assemble: async (layers, place) => {
      workDone.assemble++;
      await assembleAsTheyCome(layers, place);
    },
    digest: digestFiles,
    close: async () => undefined,
  };
}
