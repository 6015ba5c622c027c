import { now } from "../../host/clock.js";

/** How often an image's progress is told at most, in milliseconds. */
const interval = 1000;

/** Tells how far something is, but not each step: thousands of nodes may tell at the same time. */
export class ProgressTeller<Progress> {
  readonly #tell: (progress: Progress) => void;
  #toldAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  constructor(tell: (progress: Progress) => void) {
    this.#tell = tell;
  }

  /** Tells it now, or soon where it told something just now, unless there is more to tell by then. */
  tell(progress: Progress): void {
    clearTimeout(this.#timer);
    const wait = this.#toldAt + interval - now();
    if (wait <= 0) this.#tellNow(progress);
    else this.#timer = setTimeout(() => this.#tellNow(progress), wait).unref();
  }

  /** There is nothing to tell any more. */
  close(): void {
    clearTimeout(this.#timer);
  }

  #tellNow(progress: Progress): void {
    this.#toldAt = now();
    this.#tell(progress);
  }
}
