import type { ChildProcess } from "node:child_process";
import { callAfter } from "./deadline.js";
import type { SignalDelivery } from "./deliver-signals.js";

/** Ends a command: SIGTERM, and SIGKILL for the whole sandbox when that did not do. */
export class Stopper {
  readonly #child: ChildProcess;
  readonly #options: { readonly delivery: SignalDelivery; readonly graceMs: number };
  #sent: "SIGTERM" | "SIGKILL" | null = null;
  #callOff: (() => void) | undefined;

  constructor(
    child: ChildProcess,
    options: { readonly delivery: SignalDelivery; readonly graceMs: number },
  ) {
    this.#child = child;
    this.#options = options;
  }

  get sent(): "SIGTERM" | "SIGKILL" | null {
    return this.#sent;
  }

  stop(): void {
    if (this.#sent !== null) return;
    this.#sent = "SIGTERM";
    const { delivery, graceMs } = this.#options;
    delivery.send("SIGTERM");
    // A command that stands still could not follow.
    delivery.send("SIGCONT");
    this.#callOff = callAfter(graceMs, () => {
      this.#sent = "SIGKILL";
      this.#child.kill("SIGKILL");
    });
  }

  done(): void {
    this.#callOff?.();
  }
}
