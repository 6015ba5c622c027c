import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { MessagePort } from "node:worker_threads";
import pLimit from "p-limit";
import { Tinypool } from "tinypool";
import { errnoOf, fromSystemError } from "../errors.js";
import { closeLoadingGate, createLoadingGate, type LoadingGate } from "../host/loading-gate.js";
import type { Tracer, TraceSpan } from "../host/trace.js";
import type { AssemblyPlace } from "./assemble-rootfs.js";
import type { DigestTask, FileDigested } from "./check/digest-files.js";
import { createLayerFeed } from "./layer-feed.js";
import type { LayerRecord } from "./layer-record.js";
import { type CrewEnd, createCrewEnds } from "./link-crew.js";
import { LoadingThreads } from "./loading-threads.js";
import { type Outcome, resultOf } from "./outcome.js";
import { mostInStages } from "./pipeline/in-stages.js";
import { type Stages, unpackInStages } from "./pipeline/unpack-in-stages.js";
import type { UnpackLayerTask } from "./unpack-layer.js";
import type { UnpackedLayer } from "./unpacked-layer.js";
import type * as worker from "./worker.js";

/** Threads that unpack and assemble, so that the main thread stays free to keep locks alive. */
export interface Workers {
  /** @throws what {@link unpackLayer} throws */
  unpack(task: UnpackLayerTask, options: { inStages: boolean }): Promise<LayerRecord>;
  /**
   * Puts layers together as they come.
   * @throws what {@link assembleRootfs} throws, and what `layers` throws
   */
  assemble(layers: AsyncIterable<UnpackedLayer>, place: AssemblyPlace): Promise<void>;
  /** As {@link digestFiles}. */
  digest(task: DigestTask): Promise<readonly FileDigested[]>;
  /** Stops all work at once; resolves when no thread can touch a file any more. */
  close(): Promise<void>;
}

/** What each function of a thread does, for traces. */
const spanNames: Readonly<Record<keyof typeof worker, string>> = {
  unpack: "decompress, verify, unpack",
  inflate: "decompress",
  hashBlocks: "verify",
  makeTree: "unpack",
  fillFiles: "write",
  assemble: "link",
  joinCrew: "link",
  digest: "check",
};

/** A layer that is unpacked in stages takes so many threads more than another. */
const furtherStages = 3;

/** The thread that puts layers together does so beside those that unpack. */
const assemblers = 1;

/** Threads to begin with: there is a layer to unpack, and a rootfs to put together. */
const leastThreads = 2;

/**
 * What a thread's short-lived objects may take, in MiB. They are few and small, and what V8 would
 * allow by default is more than all the rest.
 */
const youngGeneration = 4;

/** How long threads get to part before they are ended, in ms. */
const partingTime = 5000;

/**
 * Starts threads; more come as they are needed.
 * @param options.layers how many layers are unpacked side by side at most
 */
export function startWorkers({
  layers,
  trace,
}: {
  layers: number;
  trace?: Tracer | undefined;
}): Workers {
  const gate = createLoadingGate();
  const pool = startPool(layers + furtherStages * mostInStages(layers) + assemblers, gate);
  const side = pLimit(layers);
  const loading = new LoadingThreads(pool);
  const closing = new AbortController();
  const staged = new Set<Promise<unknown>>();
  let closed: Promise<void> | undefined;
  const close = () => {
    closed ??= endAll();
    return closed;
  };
  const endAll = async () => {
    // Threads that share open files have to part before one of them is ended. Those that run do so
    // at once; what waits for a thread never gets one.
    closing.abort();
    pool.cancelPendingTasks();
    const parted = new AbortController();
    const { signal } = parted;
    const patience = setTimeout(partingTime, undefined, { signal }).catch(() => undefined);
    const ready = [...staged, loading.settled(), closeLoadingGate(gate, { signal })];
    await Promise.race([Promise.allSettled(ready), patience]);
    parted.abort();
    await pool.destroy();
  };
  // A thread that ends by itself fails all work, once the others have ended too.
  pool.on("error", (error: unknown) => {
    closing.abort(fromThreadError(error));
    void close();
  });
  type Work = typeof worker;
  const inThread = <Name extends keyof Work>(name: Name, details: TraceSpan["details"] = {}) => {
    return async (
      task: Parameters<Work[Name]>[0],
      transferList: MessagePort[] = [],
    ): Promise<Awaited<ReturnType<Work[Name]>>> => {
      try {
        closing.signal.throwIfAborted();
        const run: Promise<Awaited<ReturnType<Work[Name]>>> = pool.run(task, {
          name,
          transferList,
        });
        loading.notice();
        const outcome = await run;
        const { start, end, thread } = outcome;
        trace?.({ name: spanNames[name], start, end, thread, details });
        return outcome;
      } catch (error) {
        closing.signal.throwIfAborted();
        throw fromThreadError(error);
      }
    };
  };
  const unlessClosed = <Value>(outcome: Outcome<Value>): Value => {
    if (!outcome.ok && outcome.error === "stopped") closing.signal.throwIfAborted();
    return resultOf(outcome);
  };
  const stagesOf = (layer: string): Stages => ({
    inflate: inThread("inflate", { layer }),
    hashBlocks: inThread("hashBlocks", { layer }),
    makeTree: inThread("makeTree", { layer }),
    fillFiles: inThread("fillFiles", { layer }),
  });
  const unpack: Workers["unpack"] = async (task, { inStages }) => {
    closing.signal.throwIfAborted();
    const { diffId } = task;
    if (!inStages) return unlessClosed(await inThread("unpack", { layer: diffId })(task));
    const record = unpackInStages(task, { stages: stagesOf(diffId), signal: closing.signal });
    staged.add(record);
    return await record.finally(() => staged.delete(record));
  };
  const assemble = inThread("assemble");
  const joinCrew = inThread("joinCrew");
  // Nobody needs the help, and what goes wrong there is told to the thread that is helped.
  const help = (end: CrewEnd) => void joinCrew(end, [end.port]).catch(() => undefined);
  return {
    unpack: (task, options) => side(() => unpack(task, options)),
    assemble: async (unpacked, place) => {
      const feed = createLayerFeed();
      const crew = createCrewEnds();
      let assembled: ReturnType<typeof assemble> | undefined;
      const start = () => {
        const ways = { layers: feed.port, crew: crew.lead };
        assembled ??= assemble({ ...place, ...ways }, [feed.port, crew.lead.port]);
        // It is looked at when all layers were given.
        assembled.catch(() => undefined);
        return assembled;
      };
      try {
        for await (const layer of unpacked) {
          start();
          feed.give(layer);
        }
        feed.end();
        const done = start();
        // All layers are unpacked, so there is a thread that has nothing else to do.
        if (layers > 1) help(crew.helper);
        unlessClosed(await done);
      } finally {
        feed.close();
      }
    },
    digest: async (task) => unlessClosed(await inThread("digest")(task)),
    close,
  };
}

function startPool(maxThreads: number, workerData: LoadingGate): Tinypool {
  try {
    return new Tinypool({
      filename: fileURLToPath(new URL("./worker.js", import.meta.url)),
      minThreads: Math.min(leastThreads, maxThreads),
      maxThreads,
      workerData,
      // Threads that wait for the next layer are worth keeping for as long as the pool lives.
      idleTimeout: 60_000,
      resourceLimits: { maxYoungGenerationSizeMb: youngGeneration },
      // What the program's Node was started with may keep a thread from starting: --input-type does.
      execArgv: [],
    });
  } catch (error) {
    throw fromThreadError(error);
  }
}

/** Of a thread that can't be started Node gives the errno code as the message. */
function fromThreadError(error: unknown): unknown {
  if (!(error instanceof Error) || errnoOf(error) !== "ERR_WORKER_INIT_FAILED") return error;
  return fromSystemError(
    Object.assign(new Error("no thread could be started", { cause: error }), {
      code: error.message,
    }),
    "start a worker thread",
  );
}
