import { mkdirSync, writeFileSync } from "node:fs";
import { Tinypool } from "tinypool";
import { describe, expect, onTestFinished, test } from "vitest";
import { LoadingThreads } from "../../src/extract/loading-threads.js";
import { scratchDirectory } from "../support/scratch-directory.js";

/** A pool whose threads run the given code, and count in `loaded` when they have loaded it. */
function startPool(code: string) {
  const directory = `${scratchDirectory()}/code`;
  mkdirSync(directory);
  const filename = `${directory}/worker.mjs`;
  const counts = `
    import { workerData } from "node:worker_threads";
    const [, counter] = workerData;
    ${code}
    Atomics.add(counter, 0, 1);
    export const work = () => new Promise((resolve) => setTimeout(resolve, 10));
  `;
  writeFileSync(filename, counts);
  const counter = new Int32Array(new SharedArrayBuffer(4));
  const pool = new Tinypool({ filename, minThreads: 1, maxThreads: 3, workerData: counter });
  onTestFinished(() => pool.destroy());
  return { pool, loaded: () => Atomics.load(counter, 0) };
}

const slowly = "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);";

describe("threads of a pool that load their code", () => {
  test("are waited for from the first on", async () => {
    const { pool, loaded } = startPool(slowly);
    const loading = new LoadingThreads(pool);
    expect(loaded()).toBe(0);
    await loading.settled();
    expect(loaded()).toBe(1);
  });

  test("are waited for when they were started later, also if their work is cancelled", async () => {
    const { pool, loaded } = startPool(slowly);
    const loading = new LoadingThreads(pool);
    await loading.settled();
    const outcomes = Array.from({ length: 3 }, () => {
      const work = pool.run(undefined, { name: "work" });
      loading.notice();
      return work.catch((error: unknown) => error);
    });
    expect(pool.threads).toHaveLength(3);
    pool.cancelPendingTasks();
    await loading.settled();
    expect(loaded()).toBe(3);
    await Promise.all(outcomes);
  });

  test("are not waited for when they can't load it", async () => {
    const { pool, loaded } = startPool('throw new Error("no such code");');
    pool.on("error", () => undefined);
    await new LoadingThreads(pool).settled();
    expect(loaded()).toBe(0);
  });
});
