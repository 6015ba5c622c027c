import { callAfter } from "./deadline.js";

interface StopperOptions {
  /** Sends a signal to the command. */
  readonly send: (signal: "SIGTERM" | "SIGCONT") => void;
  /** Ends the whole sandbox at once. */
  readonly kill: () => void;
  /** Seconds that the command has from SIGTERM on. */
  readonly grace: number;
}

/** Ends a command: SIGTERM, and SIGKILL for the whole sandbox when that did not do. */
export class Stopper {
  readonly #options: StopperOptions;
  readonly #callsOff: (() => void)[] = [];
  #sent: "SIGTERM" | "SIGKILL" | null = null;

  constructor(options: StopperOptions) {
    this.#options = options;
  }

  get sent(): "SIGTERM" | "SIGKILL" | null {
    return this.#sent;
  }

  /** Stops after so many seconds. */
  stopAfter(seconds: number): void {
    this.#callsOff.push(callAfter(1000 * seconds, () => this.stop()));
  }

  stop(): void {
    if (this.#sent !== null) return;
    this.#sent = "SIGTERM";
    const { send, kill, grace } = this.#options;
    send("SIGTERM");
    // A command that stands still could not follow.
    send("SIGCONT");
    const killing = () => {
      this.#sent = "SIGKILL";
      kill();
    };
    this.#callsOff.push(callAfter(1000 * grace, killing));
  }

  /** The command has ended. */
  done(): void {
    for (const callOff of this.#callsOff) callOff();
  }
}
