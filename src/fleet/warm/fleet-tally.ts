import { type ErrorReport, StageError } from "../../errors.js";
import { isBeyondBudget } from "../../stage/warm/warm-status.js";
import type {
  FleetEvent,
  FleetFailure,
  FleetReport,
  NodeResult,
  SharedDirectory,
} from "./fleet-event.js";

/** Adds up what nodes tell, for the report at the end. */
export class FleetTally {
  readonly #nodes: NodeResult[] = [];
  readonly #pending = new Map<string, Unready[]>();
  readonly #failures = new Groups();
  readonly #leftOut = new Groups();
  readonly #shared = new Map<string, Set<string>>();
  #first: ErrorReport | undefined;

  add(event: FleetEvent): void {
    if (event.type === "node") this.#share(event.cacheDirectory, event);
    if (event.type === "image" && (event.state === "failed" || event.state === "skipped")) {
      this.#pendingOf(event).push(event);
    }
    // What went wrong in the try before is being mended.
    if (event.type === "step") this.#pending.delete(event.node);
    if (event.type === "result") this.#end(event);
  }

  /** Whether a directory is known to be several nodes'. */
  isShared(cacheDirectory: string): boolean {
    return this.#shared.has(cacheDirectory);
  }

  report({ ms }: { readonly ms: number }): FleetReport {
    const shared: SharedDirectory[] = [...this.#shared].map(([cacheDirectory, nodes]) => {
      return { cacheDirectory, nodes: [...nodes] };
    });
    return {
      schemaVersion: 1,
      nodes: this.#nodes,
      failures: this.#failures.all(),
      leftOut: this.#leftOut.all(),
      shared,
      exitStatus: this.#exitStatus(),
      ms,
    };
  }

  #pendingOf({ node }: { readonly node: string }): Unready[] {
    const pending = this.#pending.get(node) ?? [];
    this.#pending.set(node, pending);
    return pending;
  }

  #end(result: NodeResult): void {
    this.#nodes.push(result);
    const { node, error } = result;
    const ofImages = this.#pending.get(node) ?? [];
    this.#pending.delete(node);
    for (const image of ofImages) {
      if (isBeyondBudget(image)) this.#leftOut.add(image);
      else this.#fail(image);
    }
    if (error) this.#fail({ node, image: null, error });
  }

  #fail(failure: Failure): void {
    this.#first ??= failure.error;
    this.#failures.add(failure);
  }

  #share(directory: string, { node, sharedWith }: { node: string; sharedWith: readonly string[] }) {
    if (sharedWith.length === 0) return;
    const nodes = this.#shared.get(directory) ?? new Set();
    for (const name of [...sharedWith, node]) nodes.add(name);
    this.#shared.set(directory, nodes);
  }

  #exitStatus(): number {
    const isFine = ({ outcome }: NodeResult) => outcome === "warm" || outcome === "staged";
    if (this.#nodes.every(isFine)) return 0;
    if (this.#nodes.some((node) => isFine(node) || node.ready > 0)) return 1;
    return this.#first ? StageError.fromReport(this.#first).exitStatus : 1;
  }
}

type Unready = Extract<FleetEvent, { readonly state: "failed" | "skipped" }>;

interface Failure {
  readonly node: string;
  readonly image: string | null;
  readonly error: ErrorReport;
}

/** Failures that are the same, with all nodes that have them. */
class Groups {
  readonly #all = new Map<string, { image: string | null; error: ErrorReport; nodes: string[] }>();

  add({ node, image, error }: Failure): void {
    const key = JSON.stringify([image, error.code, error.message]);
    const group = this.#all.get(key);
    if (group) group.nodes.push(node);
    else this.#all.set(key, { image, error, nodes: [node] });
  }

  /** Those of most nodes first. */
  all(): readonly FleetFailure[] {
    return [...this.#all.values()].sort((a, b) => b.nodes.length - a.nodes.length);
  }
}
