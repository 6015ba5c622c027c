import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { basename, join } from "node:path";
import { prepareCache } from "../../cache/place/location.js";
import { makeWorkDirectory } from "../../cache/work-directory.js";
import { asStageError, type ErrorReport, StageError } from "../../errors.js";
import { now } from "../../host/clock.js";
import { removeTree } from "../../host/remove-tree.js";
import { inspectImage } from "../../stage/inspect.js";
import { type PackedImage, packImage } from "../../stage/pack/pack-image.js";
import { checkOptions, type StageOptions } from "../../stage/request.js";
import type { WarmEvent } from "../../stage/warm/warm-event.js";
import { compressNodeList } from "../node-list.js";
import { nodeStates } from "../node-states.js";
import { type ChosenNodes, chooseNodes } from "../warm/choose-nodes.js";
import type { FleetEvent, FleetReport } from "../warm/fleet-event.js";
import { FleetTally } from "../warm/fleet-tally.js";
import { stepEnvironment } from "../warm/step-plan.js";
import { defaultStartWithin, type FleetOptions, warmNodes } from "../warm/warm-nodes.js";
import { type HeldNodes, holdNodes } from "./held-nodes.js";
import { NodeLedger } from "./node-ledger.js";
import { runOnNodes } from "./node-steps.js";
import { PackSender } from "./pack-sender.js";
import { planBroadcast } from "./plan.js";

export interface BroadcastOptions extends FleetOptions {
  /**
   * How a packed image gets to the nodes: Slurm's daemons hand it on, or it lies in a directory that
   * all of them see.
   */
  readonly via:
    | { readonly kind: "sbcast" }
    | { readonly kind: "shared"; readonly directory: string };
  /** How images are read and packed on this host. */
  readonly packing: Omit<StageOptions, "onEvent" | "signal" | "lease">;
}

/**
 * Has many nodes stage images that are read from their source once: nodes say what they lack, this
 * host packs it, Slurm or a shared disk brings it to them, and each verifies and stages it. A node
 * for which a part of that fails stages by itself from the source, as {@link warmNodes} has it.
 * Images that can't be packed have failed on all nodes that lack them: these are not sent to ask for
 * the same in vain.
 * @throws StageError USAGE, NOT_FOUND, BUSY when it is not known which nodes are meant; what
 * `signal` was aborted with, when nothing of it is left on the nodes
 */
export async function broadcastImages(
  images: readonly string[],
  options: BroadcastOptions,
): Promise<FleetReport> {
  return await new Broadcast(images, options).execute();
}

class Broadcast {
  readonly #images: readonly string[];
  readonly #options: BroadcastOptions;
  readonly #tally = new FleetTally();
  readonly #startedAt = now();
  readonly #env: NodeJS.ProcessEnv;
  readonly #startWithin: number;
  /** Keys that nodes have said an image has, by image and node. */
  readonly #found = new Map<string, Map<string, Ready>>();
  #ledger = new NodeLedger([]);
  /** Where each node has its cache. */
  readonly #caches = new Map<string, string>();

  constructor(images: readonly string[], options: BroadcastOptions) {
    this.#images = images;
    this.#options = options;
    this.#startWithin = options.startWithin ?? defaultStartWithin;
    const run = randomBytes(8).toString("hex");
    this.#env = stepEnvironment(options.env ?? process.env, { run });
  }

  async execute(): Promise<FleetReport> {
    const { signal, env = process.env } = this.#options;
    const chosen = await chooseNodes(this.#options, { env, signal });
    const { usable, unusable } = chosen;
    this.#options.onNodes?.([...usable, ...unusable.map(({ node }) => node)]);
    for (const { node, error } of unusable) this.#tell(failedNode(node, error.toReport()));
    this.#ledger = new NodeLedger(usable);
    if (usable.length > 0) await this.#together(chosen);
    const ms = Math.round(now() - this.#startedAt);
    for (const result of this.#ledger.results({ ms })) this.#tell(result);
    await this.#alone();
    return this.#tally.report({ ms: Math.round(now() - this.#startedAt) });
  }

  /** All that goes on in one job that has the nodes. */
  async #together(chosen: ChosenNodes): Promise<void> {
    const { signal } = this.#options;
    let held: HeldNodes | undefined;
    try {
      const states = await nodeStates({ nodes: compressNodeList(chosen.usable) }, { signal });
      const plan = planBroadcast(chosen, { states });
      for (const { node, error } of plan.others) this.#leave([node], error.toReport());
      if (plan.nodes.length === 0) return;
      held = await this.#hold(plan);
      const begun = new Set(held.nodes);
      const silent = plan.nodes.filter((node) => !begun.has(node));
      this.#leave(silent, busy("the node does not answer").toReport());
      await this.#survey(held.nodes, held.job);
      await this.#distribute(held.job);
    } catch (error) {
      signal?.throwIfAborted();
      this.#leave(this.#ledger.lackingAny(this.#images), asStageError(error).toReport());
    } finally {
      await held?.end();
    }
  }

  async #hold({ nodes, partition, job }: ReturnType<typeof planBroadcast>): Promise<HeldNodes> {
    if (job !== undefined) return { job, nodes, end: async () => {} };
    const { signal } = this.#options;
    const how = { partition, startWithin: this.#startWithin, env: this.#env, signal };
    return await holdNodes(nodes, how);
  }

  /** Has each node say what it has, and sees whether that is what the images are now. */
  async #survey(nodes: readonly string[], job: string): Promise<void> {
    const ended = await this.#onNodes({
      ...{ job, nodes, images: this.#images, args: ["--offline"] },
      onEvent: (event) => this.#hear(event),
    });
    const silent = nodes.filter((node) => !ended.has(node));
    this.#leave(silent, busy("the node does not say what it has").toReport());
    for (const image of this.#images) {
      const found = this.#found.get(image);
      if (found) await this.#compare(image, found);
    }
  }

  #hear(event: WarmEvent): void {
    if (event.type === "node") {
      this.#caches.set(event.node, event.cacheDirectory);
      this.#tell(event);
    }
    if (event.type === "image" && (event.state === "hit" || event.state === "staged")) {
      const found = this.#found.get(event.image) ?? new Map<string, Ready>();
      this.#found.set(event.image, found.set(event.node, event));
    }
  }

  /** A tag that moved makes what stood under it another image. */
  async #compare(image: string, found: ReadonlyMap<string, Ready>): Promise<void> {
    const { packing, signal } = this.#options;
    try {
      const { imageId } = await inspectImage(image, { ...packing, signal });
      const start = imageId.replace(":", "-");
      for (const [node, event] of found) {
        if (event.key.startsWith(start)) this.#settle(event, { node, end: "hit" });
      }
    } catch (error) {
      signal?.throwIfAborted();
      this.#failEverywhere(image, asStageError(error).toReport());
    }
  }

  /** Packs and sends one image while the nodes stage the one before. */
  async #distribute(job: string): Promise<void> {
    const lacked = this.#images.filter((image) => this.#ledger.lacking(image).length > 0);
    if (lacked.length === 0) return;
    const { via } = this.#options;
    const own = via.kind === "sbcast" ? this.#makePackDirectory() : undefined;
    const sender = this.#sender(job);
    let staging: Promise<void> = Promise.resolve();
    try {
      for (const image of lacked) {
        const packed = await this.#pack(image, own ?? (via.kind === "shared" ? via.directory : ""));
        if (!packed) continue;
        const from = own === undefined ? undefined : await sender.send(packed.path, image);
        if (own !== undefined) rmSync(packed.path, { force: true });
        await staging;
        staging = this.#stage(image, { job, from, packed });
        // It is looked at when its turn comes.
        staging.catch(() => {});
      }
      await staging;
    } finally {
      await staging.catch(() => {});
      await sender.end();
      if (own !== undefined) removeTree(own);
    }
  }

  #sender(job: string): PackSender {
    return new PackSender({
      ...{ job, ledger: this.#ledger, images: this.#images },
      ...{ env: this.#env, startWithin: this.#startWithin, signal: this.#options.signal },
      cacheOf: (node) => this.#caches.get(node),
      onLeft: (nodes, error) => this.#leave(nodes, error.toReport()),
    });
  }

  /** In the cache, where the next sweep removes it, should this process be killed. */
  #makePackDirectory(): string {
    try {
      const here = checkOptions(this.#options.packing);
      prepareCache(here);
      return makeWorkDirectory(here.layout);
    } catch (thrown) {
      throw notPacked(thrown);
    }
  }

  async #pack(image: string, directory: string): Promise<PackedImage | undefined> {
    const { packing, signal } = this.#options;
    for (const node of this.#ledger.lacking(image)) {
      this.#tellProgress(image, { node, state: "waiting", error: null });
    }
    try {
      return await packImage(image, { ...packing, directory, signal });
    } catch (thrown) {
      signal?.throwIfAborted();
      const error = asStageError(thrown);
      // The nodes may have the room that this host has not.
      if (ofThisHost.has(error.code))
        this.#leave(this.#ledger.lacking(image), notPacked(error).toReport());
      else this.#failEverywhere(image, error.toReport());
      return undefined;
    }
  }

  async #stage(
    image: string,
    from: { job: string; from: string | undefined; packed: PackedImage },
  ): Promise<void> {
    const { via } = this.#options;
    const nodes = this.#ledger.lacking(image);
    const directory = via.kind === "shared" ? via.directory : from.from;
    if (nodes.length === 0 || directory === undefined) return;
    const removes = via.kind === "sbcast" ? join(directory, basename(from.packed.path)) : undefined;
    await this.#onNodes({
      ...{ job: from.job, nodes, removes, args: ["--offline", `--from=${directory}`] },
      // What came before counts for the budget, and is found at once.
      images: this.#images.slice(0, this.#images.indexOf(image) + 1),
      onEvent: (event) => {
        if (event.type === "image" && event.image === image) this.#hearStaging(event);
      },
    });
    const error = busy("the node did not come to an end with it").toReport();
    this.#leave(
      this.#ledger.lacking(image).filter((node) => nodes.includes(node)),
      error,
    );
  }

  #hearStaging(event: ImageEvent): void {
    const { node } = event;
    if (event.state === "failed") this.#leave([node], event.error);
    else if (event.state === "skipped") this.#settle(event, { node, end: "skipped" });
    else if ("key" in event) this.#settle(event, { node, end: event.state });
    else this.#tell(event);
  }

  async #onNodes(step: {
    job: string;
    nodes: readonly string[];
    images: readonly string[];
    args: readonly string[];
    removes?: string | undefined;
    onEvent: (event: WarmEvent) => void;
  }): Promise<ReadonlySet<string>> {
    const { program, args = [], signal } = this.#options;
    return await runOnNodes({
      ...{ ...step, program, signal, env: this.#env, startWithin: this.#startWithin },
      // What the caller has asked for already is not said twice.
      args: [...new Set([...args, ...step.args])],
    });
  }

  /** The nodes that are left stage what they lack from the source, so many at a time. */
  async #alone(): Promise<void> {
    const { alone } = this.#ledger;
    if (alone.length === 0) return;
    const { onNodes: _, ...options } = this.#options;
    await warmNodes(this.#images, {
      ...options,
      nodes: compressNodeList(alone),
      onEvent: (event) => this.#tell(event),
    });
  }

  #settle(event: ImageEvent, { node, end }: { node: string; end: "hit" | "staged" | "skipped" }) {
    this.#ledger.settle(node, { image: event.image, end });
    this.#tell(event);
  }

  #failEverywhere(image: string, error: ErrorReport): void {
    for (const node of this.#ledger.lacking(image)) {
      this.#ledger.settle(node, { image, end: "failed" });
      this.#tell({ type: "image", node, image, state: "failed", error });
    }
  }

  #leave(nodes: readonly string[], error: ErrorReport): void {
    for (const node of nodes) {
      if (this.#ledger.isAlone(node)) continue;
      this.#ledger.leave(node, error);
      this.#tell({ type: "step", node, state: "retrying", attempt: 1, error });
    }
  }

  #tellProgress(
    image: string,
    { node, state, error }: { node: string; state: "waiting"; error: null },
  ): void {
    this.#tell({ type: "image", node, image, state, attempt: 1, layers: null, error });
  }

  #tell(event: FleetEvent): void {
    this.#tally.add(event);
    this.#options.onEvent?.(event);
  }
}

type ImageEvent = Extract<WarmEvent, { readonly type: "image" }>;
type Ready = Extract<ImageEvent, { readonly key: string }>;

const ofThisHost: ReadonlySet<string> = new Set([
  ...["NO_SPACE", "NOT_WRITABLE", "PERMISSION", "CACHE_UNTRUSTED", "CACHE_UNSUITABLE"],
]);

/** What is wrong with this host. Said of a node as it is, it would be taken for the node's fault. */
function notPacked(thrown: unknown): StageError {
  const { code, message, hint } = asStageError(thrown);
  return new StageError(code, `this host can't pack it: ${message}`, { hint, cause: thrown });
}

function busy(message: string): StageError {
  return new StageError("BUSY", message);
}

function failedNode(node: string, error: ErrorReport): FleetEvent {
  const counts = { ready: 0, failed: 0, skipped: 0, ms: 0 };
  return { type: "result", node, outcome: "failed", ...counts, error };
}
