import { on } from "node:events";
import { MessageChannel, type MessagePort } from "node:worker_threads";
import type { UnpackedLayer } from "./unpacked-layer.js";

/** In place of a layer: there are no more. */
const end = "end";

/** The way by which layers come to the thread that puts them together. */
export type LayerPort = MessagePort;

/** Gives layers to a thread, as they become ready. */
export interface LayerFeed {
  /** For that thread, and to be transferred to it. */
  readonly port: LayerPort;
  give(layer: UnpackedLayer): void;
  /** Says that there are no more. */
  end(): void;
  /** Gives it up, whether or not a thread ever took the port. */
  close(): void;
}

export function createLayerFeed(): LayerFeed {
  const { port1, port2 } = new MessageChannel();
  return {
    port: port2,
    give: (layer) => port1.postMessage(layer),
    end: () => port1.postMessage(end),
    close: () => port1.close(),
  };
}

/** The layers that come by a port, up to the last. */
export async function* layersFrom(port: LayerPort): AsyncGenerator<UnpackedLayer> {
  try {
    for await (const [received] of on(port, "message")) {
      const message: UnpackedLayer | typeof end = received;
      if (message === end) return;
      yield message;
    }
  } finally {
    // From this side: a thread that waits for its next task would not see that the other is closed.
    port.close();
  }
}
