import type { FleetEvent } from "../fleet/warm/fleet-event.js";
import { afterEvent, type FleetView, type NodeView, startView } from "../fleet/warm/fleet-view.js";
import { fleetTable, type TableSize } from "./fleet-table.js";
import { nodeLine } from "./fleet-text.js";
import { LiveLines, type Screen } from "./live-lines.js";

/** A terminal. */
export interface Terminal extends Screen {
  readonly size: () => TableSize;
}

/** How often the table is drawn at most, in milliseconds. */
const interval = 100;

/** Shows at a terminal where all nodes stand, until it is closed. */
export class FleetDisplay {
  readonly #terminal: Terminal;
  readonly #lines: LiveLines;
  readonly #now: () => number;
  readonly #startedAt: number;
  readonly #nodes = new Map<string, NodeView>();
  readonly #timer: NodeJS.Timeout;
  #view: FleetView;
  #drawnSecond = -1;
  #isNew = true;

  constructor(
    images: readonly string[],
    {
      nodes,
      terminal,
      now,
    }: {
      readonly nodes: readonly string[];
      readonly terminal: Terminal;
      readonly now: () => number;
    },
  ) {
    this.#terminal = terminal;
    this.#lines = new LiveLines(terminal);
    this.#now = now;
    this.#startedAt = now();
    const start = startView(images, nodes);
    for (const [node, view] of start.nodes) this.#nodes.set(node, view);
    this.#view = { images, nodes: this.#nodes };
    this.#timer = setInterval(() => this.#drawIfNew(), interval).unref();
  }

  add(event: FleetEvent): void {
    const view = "node" in event ? this.#nodes.get(event.node) : undefined;
    if (view) this.#nodes.set(view.node, afterEvent(view, event));
    this.#isNew = true;
    if (event.type !== "log" && event.type !== "shared") return;
    this.#lines.clear();
    this.#terminal.write(`${nodeLine(event)}\n`);
    this.#draw();
  }

  /** Leaves the last table standing. */
  close(): void {
    clearInterval(this.#timer);
    this.#draw();
  }

  #drawIfNew(): void {
    const second = Math.floor((this.#now() - this.#startedAt) / 1000);
    if (this.#isNew || second !== this.#drawnSecond) this.#draw();
  }

  #draw(): void {
    const elapsedMs = this.#now() - this.#startedAt;
    this.#drawnSecond = Math.floor(elapsedMs / 1000);
    this.#isNew = false;
    this.#lines.draw(fleetTable(this.#view, { ...this.#terminal.size(), elapsedMs }));
  }
}
