import type { WarmEvent } from "../../stage/warm/warm-event.js";
import type { FleetEvent, NodeResult } from "./fleet-event.js";

/** Where an image stands on a node. */
export type ImageView = Extract<WarmEvent, { readonly type: "image" }>;

/** Where a node stands. */
export interface NodeView {
  readonly node: string;
  /** `toCome`: nothing was begun there yet. */
  readonly phase: "toCome" | "queued" | "starting" | "retrying" | "working" | NodeResult["outcome"];
  readonly images: ReadonlyMap<string, ImageView>;
  /** Why the node, or an image there, failed; undefined where nothing did. */
  readonly trouble: string | undefined;
}

/** Where all nodes stand. */
export interface FleetView {
  readonly images: readonly string[];
  readonly nodes: ReadonlyMap<string, NodeView>;
}

/** Before anything began. */
export function startView(images: readonly string[], nodes: readonly string[]): FleetView {
  const fresh = (node: string): NodeView => {
    return { node, phase: "toCome", images: new Map(), trouble: undefined };
  };
  return { images, nodes: new Map(nodes.map((node) => [node, fresh(node)])) };
}

/** Where a node stands after an event. */
export function afterEvent(view: NodeView, event: FleetEvent): NodeView {
  switch (event.type) {
    case "step": {
      const trouble = event.error?.message ?? view.trouble;
      return { ...view, phase: event.state, trouble };
    }
    case "node":
      return { ...view, phase: "working", images: new Map(), trouble: undefined };
    case "image": {
      const images = new Map(view.images).set(event.image, event);
      const failed = [...images.values()].find(({ state }) => state === "failed");
      const error = failed && "error" in failed ? failed.error : null;
      return { ...view, phase: "working", images, trouble: error?.message };
    }
    case "result":
      return { ...view, phase: event.outcome, trouble: event.error?.message ?? view.trouble };
    case "end":
    case "log":
    case "shared":
      return view;
  }
}
