import { MessageChannel, type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import { type ErrorReport, fromSystemError, StageError } from "../errors.js";
import { type ByteString, pathBelow } from "../host/byte-string.js";
import { type LinkOptions, linkOrCopy } from "../host/link-or-copy.js";
import { join } from "../host/rooted-tree.js";

/** Files of one directory that get names in another, where nothing has any of these names. */
export interface LinkBatch extends LinkOptions {
  readonly fromRoot: string;
  readonly from: ByteString;
  readonly toRoot: string;
  readonly to: ByteString;
  readonly names: readonly ByteString[];
}

/** One end of the way between the thread that wants links and one that helps to make them. */
export interface CrewEnd {
  readonly port: MessagePort;
  readonly state: SharedArrayBuffer;
}

/**
 * Words of the state: whether the helper is there, how many batches it has not done yet, and whether
 * it has failed.
 */
const presentWord = 0;
const pendingWord = 1;
const failedWord = 2;

/** A helper with so many batches before it gets no further one. */
const mostPending = 4;

/** Names in a batch at most: enough to outweigh its way, few enough to share the work evenly. */
const batchSize = 256;

/** In place of a batch: there are no more. */
const dismissal = "dismissed";

export function createCrewEnds(): { lead: CrewEnd; helper: CrewEnd } {
  const { port1, port2 } = new MessageChannel();
  const state = createState();
  return { lead: { port: port1, state }, helper: { port: port2, state } };
}

/** Makes links, some of them by a thread that may come to help. */
export class LinkCrew {
  readonly #port: MessagePort | undefined;
  readonly #state: Int32Array;

  /** @param end without one nobody helps */
  constructor(end: CrewEnd | undefined) {
    this.#port = end?.port;
    this.#state = new Int32Array(end?.state ?? createState());
  }

  /**
   * Makes links, now or by {@link settle}.
   * @throws errors of system calls
   */
  link(batch: LinkBatch): void {
    for (let at = 0; at < batch.names.length; at += batchSize) {
      const part = { ...batch, names: batch.names.slice(at, at + batchSize) };
      if (!this.#isFree()) {
        makeLinks(part);
        continue;
      }
      Atomics.add(this.#state, pendingWord, 1);
      this.#port?.postMessage(part);
    }
  }

  /** Returns when all links are made. @throws StageError for those that the helper could not make */
  settle(): void {
    for (;;) {
      const pending = Atomics.load(this.#state, pendingWord);
      if (pending === 0) break;
      Atomics.wait(this.#state, pendingWord, pending);
    }
    if (this.#port && Atomics.load(this.#state, failedWord) !== 0) {
      throw StageError.fromReport(receiveMessageOnPort(this.#port)?.message);
    }
  }

  /** Lets the helper go. */
  close(): void {
    // A thread that waits for its next task would close its port only when that comes.
    this.#port?.postMessage(dismissal);
  }

  #isFree(): boolean {
    return (
      Atomics.load(this.#state, presentWord) !== 0 &&
      Atomics.load(this.#state, pendingWord) < mostPending
    );
  }
}

/** Makes links for the other end until that lets it go. Its failures are told there. */
export async function joinLinkCrew({ port, state }: CrewEnd): Promise<void> {
  const words = new Int32Array(state);
  await new Promise<void>((resolve) => {
    port.on("close", resolve);
    port.on("message", (batch: LinkBatch | typeof dismissal) => {
      if (batch === dismissal) {
        port.close();
        return;
      }
      try {
        // After a failure all is thrown away.
        if (Atomics.load(words, failedWord) === 0) makeLinks(batch);
      } catch (error) {
        port.postMessage(reportOf(fromSystemError(error, `put together ${batch.toRoot}`)));
        Atomics.store(words, failedWord, 1);
      }
      Atomics.sub(words, pendingWord, 1);
      Atomics.notify(words, pendingWord);
    });
    Atomics.store(words, presentWord, 1);
  });
}

function reportOf(error: unknown): ErrorReport {
  if (error instanceof StageError) return error.toReport();
  return new StageError("INTERNAL", String(error)).toReport();
}

function createState(): SharedArrayBuffer {
  return new SharedArrayBuffer(3 * Int32Array.BYTES_PER_ELEMENT);
}

function makeLinks({ fromRoot, from, toRoot, to, names, ...options }: LinkBatch): void {
  for (const name of names) {
    linkOrCopy(pathBelow(fromRoot, join(from, name)), pathBelow(toRoot, join(to, name)), options);
  }
}
