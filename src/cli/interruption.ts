import { constants } from "node:os";
import { StageError } from "../errors.js";

const signals = ["SIGHUP", "SIGINT", "SIGTERM"] as const;

/** A signal that told this process to stop. */
export class Interrupted extends StageError {
  /** The exit status that a shell gives for the signal. */
  readonly signalStatus: number;

  constructor(signal: (typeof signals)[number], options: { hint?: string } = {}) {
    super("CANCELLED", `stopped by ${signal}`, options);
    this.signalStatus = 128 + constants.signals[signal];
  }
}

/** What becomes of work that is stopped, for whoever asked for it. */
export const afterStop = {
  staging: "layers that were finished stay in the cache; the next try goes on from there",
  removal: "what was removed is gone; the next try goes on with the rest",
  repair: "what was repaired is sound; the next try goes on with the rest",
} as const;

/** Does work that SIGHUP, SIGINT and SIGTERM abort, so that it can clean up after itself. */
export async function interruptible<Value>(
  work: (signal: AbortSignal) => Promise<Value>,
  options: { readonly hint?: string } = {},
): Promise<Value> {
  const controller = new AbortController();
  const listeners = signals.map((signal) => {
    return { signal, listener: () => controller.abort(new Interrupted(signal, options)) };
  });
  for (const { signal, listener } of listeners) process.on(signal, listener);
  try {
    return await work(controller.signal);
  } finally {
    for (const { signal, listener } of listeners) process.off(signal, listener);
  }
}
