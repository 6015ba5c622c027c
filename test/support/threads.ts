import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type MessagePort, Worker } from "node:worker_threads";
import { afterAll, beforeAll } from "vitest";
import { compileSources } from "./compiled-sources.js";

/** The modules of src that threads can use, compiled. */
export interface ThreadModules {
  readonly ring: typeof import("../../src/host/block-ring.js");
  readonly queue: typeof import("../../src/extract/pipeline/fill-queue.js");
  readonly stages: typeof import("../../src/extract/worker.js");
  readonly crypto: typeof import("node:crypto");
}

const modulePaths: Readonly<Record<keyof ThreadModules, string>> = {
  ring: "/host/block-ring.js",
  queue: "/extract/pipeline/fill-queue.js",
  stages: "/extract/worker.js",
  crypto: "node:crypto",
};

const program = `
const { parentPort, workerData } = require("node:worker_threads");
const loaded = (async () => {
  const modules = {};
  for (const [name, path] of Object.entries(workerData)) modules[name] = await import(path);
  return modules;
})();
loaded.then(() => parentPort.postMessage({ ok: true }));
parentPort.on("message", async ({ source, task }) => {
  try {
    const value = await (0, eval)("(" + source + ")")(await loaded, task);
    parentPort.postMessage({ ok: true, value });
  } catch (error) {
    parentPort.postMessage({ ok: false, name: error.name, code: error.code, message: error.message });
  }
});
`;

/** What a thread's work ended with, when it threw. */
export class ThreadError extends Error {
  readonly code: string | undefined;

  constructor({ name, code, message }: { name: string; code?: string; message: string }) {
    super(message);
    this.name = name;
    this.code = code;
  }
}

/** A thread that does one piece of work after another. */
export class TestThread {
  #worker: Worker | undefined;

  /** Resolves when it has loaded all modules, and so opens no file of its own any more. */
  async start(sources: string): Promise<void> {
    const at = (path: string) => (path.startsWith("/") ? `${sources}${path}` : path);
    const workerData = Object.fromEntries(
      Object.entries(modulePaths).map(([name, path]) => [name, at(path)]),
    );
    this.#worker = new Worker(program, { eval: true, workerData });
    await once(this.#worker, "message");
  }

  /**
   * @param work goes to the thread as text, so it can use nothing but what it is given
   * @param options.transfer ports in the task that the thread gets for good; none by default
   * @throws ThreadError
   */
  async run<Task, Result>(
    work: (modules: ThreadModules, task: Task) => Result,
    task: Task,
    { transfer = [] }: { transfer?: readonly MessagePort[] } = {},
  ): Promise<Awaited<Result>> {
    const worker = this.#worker;
    if (!worker) throw new Error("threads run only while tests do");
    return await new Promise((resolve, reject) => {
      worker.once("message", (answer) => {
        if (answer.ok) resolve(answer.value);
        else reject(new ThreadError(answer));
      });
      worker.postMessage({ source: work.toString(), task }, transfer);
    });
  }

  async stop(): Promise<void> {
    await this.#worker?.terminate();
  }
}

/** Threads for the tests of a file. */
export function useThreads<const Name extends string>(
  names: readonly Name[],
): Readonly<Record<Name, TestThread>> {
  const directory = mkdtempSync(join(tmpdir(), "stage-rootfs-threads-"));
  const threads = names.map((name) => [name, new TestThread()] as const);
  beforeAll(async () => {
    const sources = compileSources(directory);
    await Promise.all(threads.map(([, thread]) => thread.start(sources)));
  }, 60_000);
  afterAll(async () => {
    await Promise.all(threads.map(([, thread]) => thread.stop()));
    rmSync(directory, { recursive: true });
  });
  return Object.fromEntries(threads) as Readonly<Record<Name, TestThread>>;
}
