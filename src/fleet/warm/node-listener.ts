import { printable } from "../../host/byte-string.js";
import type { WarmEvent } from "../../stage/warm/warm-event.js";
import { isBeyondBudget } from "../../stage/warm/warm-status.js";
import type { FleetEvent, NodeResult } from "./fleet-event.js";
import { parseWarmEvent } from "./parse-event.js";

/** Follows what one node's step writes. */
export class NodeListener {
  readonly #node: string;
  readonly #attempt: number;
  readonly #tell: (event: FleetEvent) => void;
  readonly #ready = new Map<string, "hit" | "staged">();
  #late = 0;
  #end: Extract<WarmEvent, { readonly type: "end" }> | undefined;

  constructor(node: string, how: { attempt: number; tell: (event: FleetEvent) => void }) {
    this.#node = node;
    this.#attempt = how.attempt;
    this.#tell = how.tell;
  }

  /** How many images are ready, as far as it was told. */
  get ready(): number {
    return this.#ready.size;
  }

  /** A line of its stdout. */
  hear(line: string): void {
    const event = parseWarmEvent(line);
    if (!event) {
      if (line.trim() !== "") this.#log(line);
      return;
    }
    if (event.type === "end") this.#end = event;
    if (event.type === "image") {
      if (event.state === "hit" || event.state === "staged") {
        this.#ready.set(event.image, event.state);
      }
      if (event.state === "skipped" && !isBeyondBudget(event)) this.#late++;
    }
    this.#tell({ ...event, node: this.#node });
  }

  /** A line of its stderr. */
  hearMessage(line: string): void {
    if (/^srun: job \d+ queued/.test(line)) {
      const attempt = this.#attempt;
      this.#tell({ type: "step", node: this.#node, state: "queued", attempt, error: null });
    } else if (/^stage-rootfs: warning: /.test(line)) this.#log(line);
  }

  /** How the node ended; undefined where it did not say that it came to its end. */
  result({ ms }: { readonly ms: number }): NodeResult | undefined {
    if (!this.#end) return undefined;
    const { ready, failed, skipped } = this.#end;
    const isFine = failed === 0 && this.#late === 0;
    const isWarm = ![...this.#ready.values()].includes("staged");
    const good = isWarm ? "warm" : "staged";
    const outcome = isFine ? good : ready > 0 ? "partial" : "failed";
    const node = this.#node;
    return { type: "result", node, outcome, ready, failed, skipped, ms, error: null };
  }

  #log(line: string): void {
    this.#tell({ type: "log", node: this.#node, text: printable(line) });
  }
}
