import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { now } from "../../host/clock.js";
import { ownIdentity } from "../../host/process-identity.js";
import { uniqueWord } from "../../host/unique-word.js";
import type { CacheLayout } from "../layout.js";
import { jobName, type StagingStatus, statusPrefix } from "./staging-status.js";

/** How often it is written at most, in milliseconds. */
const interval = 200;

/**
 * Tells those who wait for this process how far it is. Nothing depends on it: where it can't be
 * written, it is not told.
 */
export class StatusTeller {
  readonly #path: string;
  readonly #startedAt = now();
  #writtenAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #total = 0;

  constructor(layout: CacheLayout) {
    this.#path = join(layout.tmp, `${statusPrefix(ownIdentity())}${uniqueWord()}`);
  }

  /** Tells it now, or soon when it was told just now; at once what all of it is. */
  tell(progress: Pick<StagingStatus, "finished" | "total">): void {
    clearTimeout(this.#timer);
    const wait = this.#writtenAt + interval - now();
    const isNews = progress.total !== this.#total;
    this.#total = progress.total;
    if (wait > 0 && !isNews) this.#timer = setTimeout(() => this.#write(progress), wait).unref();
    else this.#write(progress);
  }

  /** There is nothing to wait for any more. */
  close(): void {
    clearTimeout(this.#timer);
    ignoringFailure(() => rmSync(this.#path, { force: true }));
  }

  #write(progress: Pick<StagingStatus, "finished" | "total">): void {
    this.#writtenAt = now();
    const job = jobName(process.env["SLURM_JOB_ID"]);
    const status: StagingStatus = { job, startedAt: this.#startedAt, ...progress };
    const text = `${JSON.stringify(status)}\n`;
    ignoringFailure(() => writeFileSync(this.#path, text, { mode: 0o600 }));
  }
}

function ignoringFailure(act: () => void): void {
  try {
    act();
  } catch {
    // What fails here, say on a full disk, fails where it matters too.
  }
}
