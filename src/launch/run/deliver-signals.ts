import { errnoOf } from "../../errors.js";

/** Sends signals to a process that may not be there yet: they wait for it. */
export class SignalDelivery {
  readonly #target: () => number | undefined;
  readonly #waiting: NodeJS.Signals[] = [];
  readonly #sent: NodeJS.Signals[] = [];
  readonly #timer: NodeJS.Timeout;

  /** @param target the PID; undefined as long as there is no process */
  constructor(target: () => number | undefined) {
    this.#target = target;
    this.#timer = setInterval(() => this.#waiting.length > 0 && this.#deliver(), 10);
  }

  /** What has been sent so far. */
  get sent(): readonly NodeJS.Signals[] {
    return this.#sent;
  }

  send(signal: NodeJS.Signals): void {
    this.#waiting.push(signal);
    this.#deliver();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #deliver(): void {
    const pid = this.#target();
    if (pid === undefined) return;
    for (const signal of this.#waiting.splice(0)) {
      this.#sent.push(signal);
      sendSignal(pid, signal);
    }
  }
}

/** Sends a signal to a process that may have ended, or with a negative PID to its group. */
export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // It has just ended, which is what its exit status will say.
    if (errnoOf(error) !== "ESRCH") throw error;
  }
}
