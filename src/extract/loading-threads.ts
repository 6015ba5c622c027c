import type { Tinypool } from "tinypool";

type Thread = Tinypool["threads"][number];

/**
 * The threads of a pool that don't have their code yet. One that is ended in the midst of loading
 * may leave a file of the code open for good: where Node reads modules in the background, nobody
 * closes what is opened after the thread's end.
 */
export class LoadingThreads {
  readonly #pool: Tinypool;
  readonly #known = new WeakSet<Thread>();
  readonly #loading = new Set<Promise<unknown>>();

  constructor(pool: Tinypool) {
    this.#pool = pool;
    this.notice();
  }

  /** Looks for new threads. To be called at once after what may have started some. */
  notice(): void {
    for (const thread of this.#pool.threads) {
      if (this.#known.has(thread)) continue;
      this.#known.add(thread);
      const loaded = new Promise((resolve) => {
        // The first message says that it is ready for work.
        for (const event of ["message", "error", "exit"]) thread.once(event, resolve);
      });
      this.#loading.add(loaded);
      void loaded.then(() => this.#loading.delete(loaded));
    }
  }

  /** Resolves when no thread loads its code any more. */
  async settled(): Promise<void> {
    await Promise.all(this.#loading);
  }
}
