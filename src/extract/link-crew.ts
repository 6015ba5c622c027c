import { MessageChannel, type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import { fromSystemError, StageError } from "../errors.js";
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

/** One end of the way between who asks for links and a thread that makes them. */
export interface CrewEnd {
  readonly port: MessagePort;
  /** How many batches are asked for and not done yet, and whether one has failed. */
  readonly state: SharedArrayBuffer;
}

const pendingWord = 0;
const failedWord = 1;

/** A member with so many batches before it gets no further one: who asks makes those links itself. */
const mostPending = 4;

/** Names in a batch at most: enough to outweigh its way, few enough to share the work evenly. */
const batchSize = 256;

/** In place of a batch: there are no more. */
const dismissal = "dismissed";

export function createCrewEnds(): { lead: CrewEnd; member: CrewEnd } {
  const { port1, port2 } = new MessageChannel();
  const state = new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT);
  return { lead: { port: port1, state }, member: { port: port2, state } };
}

/** Threads that make links beside the one that says which. */
export class LinkCrew {
  readonly #members: readonly { port: MessagePort; state: Int32Array }[];

  constructor(ends: readonly CrewEnd[]) {
    this.#members = ends.map(({ port, state }) => ({ port, state: new Int32Array(state) }));
  }

  /**
   * Makes links, now or by {@link settle}.
   * @throws errors of system calls
   */
  link(batch: LinkBatch): void {
    for (let at = 0; at < batch.names.length; at += batchSize) {
      const part = { ...batch, names: batch.names.slice(at, at + batchSize) };
      const member = this.#members.find(({ state }) => {
        return Atomics.load(state, pendingWord) < mostPending;
      });
      if (!member) {
        makeLinks(part);
      } else {
        Atomics.add(member.state, pendingWord, 1);
        member.port.postMessage(part);
      }
    }
  }

  /** Returns when all links are made. @throws StageError for those that could not be */
  settle(): void {
    for (const { port, state } of this.#members) {
      for (;;) {
        const pending = Atomics.load(state, pendingWord);
        if (pending === 0) break;
        Atomics.wait(state, pendingWord, pending);
      }
      if (Atomics.load(state, failedWord) !== 0) {
        throw StageError.fromReport(receiveMessageOnPort(port)?.message);
      }
    }
  }

  /** Lets the members go. */
  close(): void {
    // A thread that waits for its next task would close its port only when that comes.
    for (const { port } of this.#members) port.postMessage(dismissal);
  }
}

/** Makes links for the other end until that lets it go. Errors are told there. */
export async function joinCrew({ port, state }: CrewEnd): Promise<void> {
  const words = new Int32Array(state);
  await new Promise<void>((resolve, reject) => {
    port.on("message", (batch: LinkBatch | typeof dismissal) => {
      if (batch === dismissal) {
        port.close();
        resolve();
        return;
      }
      try {
        // After a failure all is thrown away.
        if (Atomics.load(words, failedWord) === 0) makeLinks(batch);
      } catch (error) {
        const known = fromSystemError(error, `put together ${batch.toRoot}`);
        if (!(known instanceof StageError)) reject(known);
        else port.postMessage(known.toReport());
        Atomics.store(words, failedWord, 1);
      }
      Atomics.sub(words, pendingWord, 1);
      Atomics.notify(words, pendingWord);
    });
  });
}

function makeLinks({ fromRoot, from, toRoot, to, names, ...options }: LinkBatch): void {
  for (const name of names) {
    linkOrCopy(pathBelow(fromRoot, join(from, name)), pathBelow(toRoot, join(to, name)), options);
  }
}
