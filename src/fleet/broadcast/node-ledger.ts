import type { ErrorReport } from "../../errors.js";
import type { NodeResult } from "../warm/fleet-event.js";

/** Where an image stands on a node, as far as a broadcast goes. */
export type ImageEnd = "hit" | "staged" | "failed" | "skipped";

/** What is known of the images on each node. */
export class NodeLedger {
  readonly #nodes = new Map<string, Map<string, ImageEnd>>();
  readonly #alone = new Map<string, ErrorReport>();

  constructor(nodes: readonly string[]) {
    for (const node of nodes) this.#nodes.set(node, new Map());
  }

  settle(node: string, { image, end }: { image: string; end: ImageEnd }): void {
    this.#nodes.get(node)?.set(image, end);
  }

  /** Leaves a node to stage what it lacks by itself; the first reason counts. */
  leave(node: string, error: ErrorReport): void {
    if (!this.#alone.has(node)) this.#alone.set(node, error);
  }

  /** The nodes that are left to themselves. */
  get alone(): readonly string[] {
    return [...this.#alone.keys()];
  }

  isAlone(node: string): boolean {
    return this.#alone.has(node);
  }

  /** The nodes that take part and lack an image. */
  lacking(image: string): readonly string[] {
    return [...this.#nodes].flatMap(([node, ends]) => {
      return this.isAlone(node) || ends.has(image) ? [] : [node];
    });
  }

  /** The nodes that lack any of some images. */
  lackingAny(images: readonly string[]): readonly string[] {
    const all = new Set(images.flatMap((image) => this.lacking(image)));
    return [...this.#nodes.keys()].filter((node) => all.has(node));
  }

  /** How the nodes that took part to the end have ended. */
  results({ ms }: { ms: number }): readonly NodeResult[] {
    return [...this.#nodes].flatMap(([node, ends]) => {
      return this.isAlone(node) ? [] : [resultOf(node, { ends: [...ends.values()], ms })];
    });
  }
}

function resultOf(node: string, of: { ends: readonly ImageEnd[]; ms: number }): NodeResult {
  const { ends, ms } = of;
  const count = (...which: readonly ImageEnd[]) => ends.filter((e) => which.includes(e)).length;
  const ready = count("hit", "staged");
  const failed = count("failed");
  const good = count("staged") > 0 ? "staged" : "warm";
  const outcome = failed === 0 ? good : ready > 0 ? "partial" : "failed";
  return {
    type: "result",
    node,
    outcome,
    ready,
    failed,
    skipped: count("skipped"),
    ms,
    error: null,
  };
}
