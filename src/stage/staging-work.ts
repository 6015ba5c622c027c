import { setMaxListeners } from "node:events";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import type { LimitFunction } from "p-limit";
import type { Durability } from "../cache/durability/make-durable.js";
import { ensureLayer, hasLayer, layerTree } from "../cache/layer-store.js";
import { readStatus } from "../cache/locks/staging-status.js";
import { StatusTeller } from "../cache/locks/status-teller.js";
import type { WaitOptions } from "../cache/publish.js";
import type { AssemblyPlace } from "../extract/assemble-rootfs.js";
import { type LayerRecord, parseLayerRecord, type Warning } from "../extract/layer-record.js";
import { usualFileDigests } from "../extract/listing/listing.js";
import { layersInStages } from "../extract/pipeline/in-stages.js";
import type { UnpackedLayer } from "../extract/unpacked-layer.js";
import { startWorkers, type Workers } from "../extract/workers.js";
import { now } from "../host/clock.js";
import { usableProcessors } from "../host/processors.js";
import { emptyDirectory } from "../host/remove-tree.js";
import type { Span } from "../host/span.js";
import type { TraceSpan } from "../host/trace.js";
import type { Digest } from "../oci/digest.js";
import type { ImageSummary, LayerSummary, RemoteLayer } from "../oci/image.js";
import { notDurable } from "./not-durable.js";
import { cacheName, type StageRequest } from "./request.js";
import type { LayerProgress, StageEvent, Timings } from "./result.js";
import type { RoomMaker } from "./room/room-maker.js";
import { StagingRoom } from "./room/staging-room.js";
import type { ImageOpener } from "./sources/image-opener.js";
import { waitingEvent } from "./waiting-event.js";

/** How many blobs are fetched at once, unless it is said: most registries give each its own share. */
const usualFetches = 6;

type LayerEvent = StageEvent & { readonly type: "layer" };

/** The threads, counters and clocks of one staging. */
export class StagingWork {
  /** DiffIDs of the layers that were unpacked. */
  readonly unpacked: Set<string> = new Set();
  readonly timings: Omit<Timings, "totalMs" | "resolveMs">;
  /** The longest wait for a layer: they are waited for side by side. */
  #layerWaitMs = 0;
  /** Bytes that registries have sent. */
  fetched = 0;
  /** What the caller should know beside the image's own warnings. */
  readonly warnings: Warning[] = [];
  readonly #request: StageRequest;
  readonly #opener: ImageOpener;
  readonly #room: StagingRoom;
  readonly #stop = new AbortController();
  readonly #cores: number;
  #fetches: LimitFunction | undefined;
  #inStages: ReadonlySet<string> = new Set();
  #workers: Workers | undefined;
  #closed: Promise<void> | undefined;
  readonly #status: StatusTeller;
  #progress: LayerProgress = { finished: 0, total: 0 };

  /** @param maker makes room in the cache where there is too little */
  constructor(request: StageRequest, opener: ImageOpener, maker: RoomMaker = {}) {
    this.#request = request;
    this.timings = { fetchMs: 0, extractMs: 0, assembleMs: 0, waitMs: request.waitedMs };
    this.#opener = opener;
    this.#room = new StagingRoom(request, {
      maker,
      isMissing: (diffId) => this.#isMissing(diffId),
      onShortage: (error) => this.#stop.abort(error),
    });
    const { signal, jobs } = request.options;
    this.#cores = jobs ?? usableProcessors();
    this.#status = new StatusTeller(request.layout);
    // Every layer that waits for its lock listens.
    setMaxListeners(0, this.#stop.signal);
    this.#stop.signal.addEventListener("abort", () => void this.#stopWorkers(), { once: true });
    const stop = () => this.#stop.abort(signal?.reason);
    if (signal?.aborted) stop();
    else signal?.addEventListener("abort", stop, { once: true, signal: this.#stop.signal });
  }

  /** How this staging waits for others; aborted also when a part of it has failed. */
  waitOptions(what: string): WaitOptions {
    const { wait, onEvent } = this.#request.options;
    return {
      wait,
      signal: this.#stop.signal,
      statusOf: (owner) => readStatus(this.#request.layout, owner),
      onWait: (owner, waitedMs) => {
        onEvent?.(waitingEvent(this.#request.layout, { what, owner, waitedMs }));
      },
    };
  }

  /** Tells those who wait that this staging has begun, before it is known what it consists of. */
  tellBegun(): void {
    this.#status.tell({ finished: 0, total: 0 });
  }

  /** How what is made is to outlast a loss of power; undefined where it need not. */
  get durability(): Durability | undefined {
    if (this.#request.options.fsync === false) return undefined;
    return {
      signal: this.#stop.signal,
      onDoubt: (reason) => this.warnings.push(notDurable[reason]),
    };
  }

  /**
   * Has all layers of an image in the cache, side by side and the largest first, and puts them
   * together as they become ready. When one fails, the others are stopped; those that were finished
   * stay.
   * @returns their records, the base layer first
   */
  async makeRootfs(image: ImageSummary, place: AssemblyPlace): Promise<readonly LayerRecord[]> {
    const start = now();
    await this.#room.admit(image);
    const ready = this.#ensureLayers(image);
    const all = Promise.allSettled(ready.values()).then(() => {
      this.#stop.signal.throwIfAborted();
      this.timings.extractMs += now() - start;
      this.#request.options.onEvent?.({ type: "assembling" });
      return now();
    });
    const records: LayerRecord[] = [];
    const request = this.#request;
    const inOrder = async function* (): AsyncGenerator<UnpackedLayer> {
      for (const { diffId } of image.layers) {
        const record = await ready.get(diffId);
        if (!record) throw new TypeError(`nobody provides the layer ${diffId}`);
        records.push(record);
        yield { tree: layerTree(request.layout, cacheName(request, diffId)), record };
      }
    };
    const assembled = this.#run((workers) => workers.assemble(inOrder(), place));
    const [layers] = await Promise.allSettled([all, assembled]);
    if (layers.status === "rejected") throw layers.reason;
    await assembled;
    this.timings.assembleMs += now() - layers.value;
    return records;
  }

  /** Starts the threads, which takes a while, where that has not been done. */
  startThreads(): Workers {
    const { trace } = this.#request.options;
    this.#workers ??= startWorkers({ layers: this.#cores, trace });
    return this.#workers;
  }

  /** Tells of a piece of work on this thread that began at `start` and ends now. */
  traced(name: string, work: { start: number; details?: TraceSpan["details"] }): void {
    const { start, details = {} } = work;
    this.#request.options.trace?.({ name, start, end: now(), thread: 0, details });
  }

  /** Stops all that is under way; resolves when nothing touches a file any more. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.#status.close();
    this.#room.close();
    await this.#stopWorkers();
  }

  /** Begins to provide all layers; each by its diffID. */
  #ensureLayers(image: ImageSummary): ReadonlyMap<string, Promise<LayerRecord>> {
    const distinct = [...new Map(image.layers.map((layer) => [layer.diffId, layer])).values()];
    distinct.sort((a, b) => b.size - a.size);
    const missing = distinct.filter(({ diffId }) => this.#isMissing(diffId));
    this.#inStages = layersInStages(missing, this.#cores);
    this.#progress = { finished: 0, total: distinct.length };
    this.#status.tell(this.#progress);
    return new Map(
      distinct.map((layer) => {
        return [layer.diffId, this.#ensureLayer(layer).catch((error) => this.#fail(error))];
      }),
    );
  }

  #tell({ diffId, size }: LayerSummary, state: LayerEvent["state"]): void {
    const layers = this.#progress;
    this.#request.options.onEvent?.({ type: "layer", diffId, size, state, layers });
  }

  #isMissing(diffId: Digest): boolean {
    return !hasLayer(this.#request.layout, cacheName(this.#request, diffId));
  }

  async #ensureLayer(layer: LayerSummary): Promise<LayerRecord> {
    const { layout, policy, limits, options } = this.#request;
    const { diffId, digest } = layer;
    let unpackedAt: number | undefined;
    const published = await ensureLayer(layout, {
      ...this.waitOptions(`layer ${diffId}`),
      name: cacheName(this.#request, layer.diffId),
      parse: parseLayerRecord,
      unpack: async (tree) => {
        const { layers } = await this.#opener.open();
        const blob = layers.find((l) => l.diffId === diffId && l.digest === digest);
        if (!blob) throw new TypeError(`the image has no layer ${diffId}`);
        const progress = await this.#room.begin(diffId, layers);
        const inStages = this.#inStages.has(diffId);
        let isFirst = true;
        const unpack = (span: Span) => {
          if (!isFirst) makeAnew(tree);
          isFirst = false;
          this.#tell(layer, "unpacking");
          const listing = {
            directory: dirname(tree),
            digests: options.fileDigests ?? usualFileDigests,
          };
          const task = { span, diffId, digest, tree, policy, limits, progress, listing };
          return this.#run((workers) => workers.unpack(task, { inStages }));
        };
        const record = await ("span" in blob ? unpack(blob.span) : this.#fetched(blob, unpack));
        unpackedAt = now();
        return record;
      },
    });
    this.#room.finished(diffId, published.value);
    if (published.made) this.unpacked.add(diffId);
    if (unpackedAt !== undefined) {
      this.traced("publish", { start: unpackedAt, details: { layer: diffId } });
    }
    const { finished, total } = this.#progress;
    this.#progress = { finished: finished + 1, total };
    this.#status.tell(this.#progress);
    this.#tell(layer, published.made ? "unpacked" : "reused");
    const longer = Math.max(0, published.waitedMs - this.#layerWaitMs);
    this.#layerWaitMs += longer;
    this.timings.waitMs += longer;
    return published.value;
  }

  /** Work on a blob that a registry has. */
  async #fetched<Value>(layer: RemoteLayer, use: (span: Span) => Promise<Value>): Promise<Value> {
    const { options } = this.#request;
    const { withFetchedBlob } = await import("./sources/fetch-blob.js");
    const { default: pLimit } = await import("p-limit");
    this.#fetches ??= pLimit(options.jobs ?? Math.max(this.#cores, usualFetches));
    const registry = await this.#opener.registry();
    return await this.#fetches(async () => {
      this.#stop.signal.throwIfAborted();
      const { diffId } = layer;
      this.#tell(layer, "fetching");
      const start = now();
      const value = await withFetchedBlob(this.#request, {
        ...this.waitOptions(`layer ${diffId}`),
        signal: this.#stop.signal,
        registry,
        layer,
        onBytes: (count) => {
          this.fetched += count;
        },
        use,
      });
      this.timings.fetchMs = Math.max(this.timings.fetchMs, now() - start);
      this.traced("fetch", { start, details: { layer: diffId } });
      return value;
    });
  }

  /** Work in a thread. When it is stopped, the threads have ended before this rejects. */
  async #run<Value>(work: (workers: Workers) => Promise<Value>): Promise<Value> {
    this.#stop.signal.throwIfAborted();
    try {
      return await work(this.startThreads());
    } catch (error) {
      if (!this.#stop.signal.aborted) throw error;
      await this.#stopWorkers();
      throw this.#stop.signal.reason;
    }
  }

  #fail(error: unknown): never {
    if (!this.#stop.signal.aborted) this.#stop.abort(error);
    throw error;
  }

  #stopWorkers(): Promise<void> {
    this.#closed ??= this.#workers?.close() ?? Promise.resolve();
    return this.#closed;
  }
}

/** Removes what a failed attempt has left: a tree, and what is written beside it. */
function makeAnew(tree: string): void {
  emptyDirectory(dirname(tree), "");
  mkdirSync(tree, { mode: 0o700 });
}
