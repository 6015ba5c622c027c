import { now } from "../../host/clock.js";

/** For how long a lock may show no sign of life, in milliseconds; it shows one twice as often. */
export const silence = 10_000;

/** When a lock counts as silent at first sight, in milliseconds: no clock is that far off. */
const longSilence = 10 * 60_000;

/**
 * Watches a lock whose owner can't be looked for: one on another host, or in another container. Its
 * directory's time changes as long as its owner lives. Whether it does is seen by a clock that
 * nobody sets, since the machine's may jump at any time.
 */
export class LockWatch {
  #seen: { name: string | undefined; time: number; since: number } | undefined;

  /** Whether the lock has shown no sign of life for long enough, as far as was watched. */
  isSilent({ name, mtime }: { name: string | undefined; mtime: Date }): boolean {
    const time = mtime.getTime();
    if (time < Date.now() - longSilence) return true;
    if (this.#seen?.name !== name || this.#seen?.time !== time) {
      this.#seen = { name, time, since: now() };
    }
    return now() - this.#seen.since > silence;
  }
}
