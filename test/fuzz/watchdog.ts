import { Worker } from "node:worker_threads";

/** Ends the process when a case never ends: nothing on this thread could. */
export interface Watchdog {
  /** A case begins. */
  beat(number: number): void;
  stop(): Promise<void>;
}

/** How long a case may take, in seconds. It would take a thousandth of that. */
const patience = 60;

/** Runs on a thread of its own, as the main one is busy; plain text, as it is not compiled. */
const guard = `
  const { rmSync, writeSync } = require("node:fs");
  const { workerData } = require("node:worker_threads");
  const { state, patience, again, directory, pid } = workerData;
  const beats = new Int32Array(state);
  let seen = -1;
  let since = Date.now();
  setInterval(() => {
    const now = Atomics.load(beats, 0);
    if (now !== seen) {
      seen = now;
      since = Date.now();
    } else if (Date.now() - since > patience * 1000) {
      const number = Atomics.load(beats, 1);
      writeSync(2, "A case does not end. Again: " + again + " FUZZ_CASE=" + number + "\\n");
      try {
        rmSync(directory, { recursive: true, force: true });
      } finally {
        process.kill(pid, "SIGKILL");
      }
    }
  }, 1000);
`;

/**
 * @param again how to run the cases again, but for their number
 * @param directory what to remove before the process ends
 */
export function startWatchdog(again: string, directory: string): Watchdog {
  const state = new SharedArrayBuffer(8);
  const beats = new Int32Array(state);
  const workerData = { state, patience, again, directory, pid: process.pid };
  const worker = new Worker(guard, { eval: true, workerData });
  return {
    beat(number) {
      Atomics.store(beats, 1, number);
      Atomics.add(beats, 0, 1);
    },
    async stop() {
      await worker.terminate();
    },
  };
}
