import { Readable } from "node:stream";
import { finished } from "node:stream/promises";
import { childrenOf } from "./process-tree.js";

/** What bwrap reports on its status descriptor: JSON objects, one per event. */
export class BwrapStatus {
  #text = "";
  readonly #ended: Promise<void>;

  /** @param stream the other end of the descriptor of `--json-status-fd` */
  constructor(stream: unknown) {
    this.#ended = stream instanceof Readable ? this.#read(stream) : Promise.resolve();
  }

  /**
   * PID of the command: bwrap's first process in the sandbox is its init, and the command that one's
   * child. Undefined until it has been started.
   */
  get commandPid(): number | undefined {
    const init = this.#number("child-pid");
    return init === undefined ? undefined : childrenOf(init)[0];
  }

  /** The command's exit status, when the sandbox is gone; undefined where none was started. */
  async exitCode(): Promise<number | undefined> {
    await this.#ended;
    return this.#number("exit-code");
  }

  async #read(stream: Readable): Promise<void> {
    stream.setEncoding("utf8");
    stream.on("data", (chunk: string) => {
      this.#text += chunk;
    });
    await finished(stream);
  }

  #number(name: string): number | undefined {
    const digits = new RegExp(`"${name}"\\s*:\\s*(\\d+)`).exec(this.#text)?.[1];
    return digits === undefined ? undefined : Number(digits);
  }
}
