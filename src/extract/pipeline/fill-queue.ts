import { closeSync } from "node:fs";
import type { RingReader } from "../../host/block-ring.js";
import { WorkStopped } from "../../host/work-stopped.js";
import { writeAll } from "../../host/write-all.js";
import { type FileContent, type FileFiller, type FileFinish, finishFile } from "../file-content.js";
import type { DigestLog } from "../listing/digest-log.js";

/**
 * Orders from the thread that makes files to the one that fills them: pieces of a ring's memory,
 * to be written to files that are open. A file is opened and closed by one thread and filled by
 * the other in between, so a descriptor is never closed under a write.
 */
export interface FillQueueMemory {
  readonly control: SharedArrayBuffer;
  readonly orders: SharedArrayBuffer;
}

/** How many orders may be under way, and so how many files open. */
const capacity = 128;

/** What an order says, as numbers one after another. */
const field = { tasks: 0, fd: 1, at: 2, length: 3, mtime: 4, mode: 5, uid: 6, gid: 7 } as const;
const fields = 8;

/** What an order asks for; several at once. */
const task = { write: 1, finish: 2, release: 4, end: 8 } as const;

/** In place of a mode or owner that is not to be set. */
const unset = -1;

/** Words of the control memory: two counts, and whether somebody sleeps until each of them rises. */
const pushedWord = 0;
const doneWord = 1;
const goneWord = 2;
const wantsPushed = 3;
const wantsDone = 4;

/** The other side is woken for so many orders at once: waking takes as long as filling a small file. */
const batch = 16;

/** A wait is looked at again after so many ms, so that none goes on when the other side is gone. */
const patience = 200;

export function createFillQueue(): FillQueueMemory {
  return {
    control: new SharedArrayBuffer(5 * Int32Array.BYTES_PER_ELEMENT),
    orders: new SharedArrayBuffer(capacity * fields * Float64Array.BYTES_PER_ELEMENT),
  };
}

/** The side that makes files. */
export class QueuedFiller implements FileFiller {
  readonly #words: Int32Array;
  readonly #orders: Float64Array;
  readonly #ring: RingReader;
  readonly #data: SharedArrayBuffer;
  /** The file that each order completes, closed when the order's place is needed again. */
  readonly #open: (number | undefined)[] = new Array(capacity);
  #current: number | undefined;
  #pushed = 0;

  constructor(queue: FillQueueMemory, source: { ring: RingReader; data: SharedArrayBuffer }) {
    this.#words = new Int32Array(queue.control);
    this.#orders = new Float64Array(queue.orders);
    this.#ring = source.ring;
    this.#data = source.data;
  }

  fill(fd: number, { content, size, finish }: FileContent): void {
    this.#current = fd;
    if (size === 0) this.#push(task.finish, { fd, at: 0, length: 0, finish });
    for (let rest = size; rest > 0; ) {
      const piece = content();
      const at = this.#place(piece);
      const { length } = piece;
      rest -= length;
      // The order that completes a file carries its last piece, so small files need only one.
      this.#push(rest > 0 ? task.write : task.write | task.finish, { fd, at, length, finish });
    }
    this.#current = undefined;
  }

  settle(): void {
    this.#waitUntil(() => Atomics.load(this.#words, doneWord) === this.#pushed);
    this.#closeAll();
  }

  /** Gives the ring's oldest block back once all that was ordered from it is written. */
  releaseBlock(): void {
    this.#push(task.release);
  }

  /** Completes all files and ends the other side. */
  end(): void {
    this.#push(task.end);
    this.settle();
  }

  /** After a failure, with the ring stopped: closes what is open, once the other side writes no more. */
  abandon(): void {
    wake(this.#words, wantsPushed);
    while (Atomics.load(this.#words, goneWord) === 0) {
      Atomics.wait(this.#words, goneWord, 0, patience);
    }
    this.#closeAll();
    if (this.#current !== undefined) closeSync(this.#current);
  }

  #place(piece: Buffer): number {
    if (piece.buffer !== this.#data) throw new TypeError("a file's content lies outside the ring");
    return piece.byteOffset;
  }

  #push(
    tasks: number,
    order?: { fd: number; at: number; length: number; finish: FileFinish },
  ): void {
    const slot = this.#pushed % capacity;
    this.#waitUntil(() => this.#pushed - Atomics.load(this.#words, doneWord) < capacity);
    this.#close(slot);
    this.#open[slot] = order && (tasks & task.finish) !== 0 ? order.fd : undefined;
    const orders = this.#orders;
    const base = slot * fields;
    orders[base + field.tasks] = tasks;
    if (order) {
      const { finish } = order;
      orders[base + field.fd] = order.fd;
      orders[base + field.at] = order.at;
      orders[base + field.length] = order.length;
      orders[base + field.mtime] = finish.mtime;
      orders[base + field.mode] = finish.mode ?? unset;
      orders[base + field.uid] = finish.owner?.uid ?? unset;
      orders[base + field.gid] = finish.owner?.gid ?? unset;
    }
    Atomics.store(this.#words, pushedWord, ++this.#pushed);
    const isUrgent = (tasks & (task.release | task.end)) !== 0;
    if (isUrgent || this.#pushed % batch === 0) wake(this.#words, wantsPushed);
  }

  #waitUntil(isReady: () => boolean): void {
    while (!isReady()) {
      this.#ring.checkStopped();
      wake(this.#words, wantsPushed);
      Atomics.store(this.#words, wantsDone, 1);
      // Looked at first: whoever is gone may have done all that was to be waited for.
      const isGone = Atomics.load(this.#words, goneWord) !== 0;
      if (isReady()) return;
      if (isGone) throw new WorkStopped("nobody fills files");
      sleep(this.#words, wantsDone);
    }
  }

  #closeAll(): void {
    for (let slot = 0; slot < capacity; slot++) this.#close(slot);
  }

  /** Closes a file once, also where closing fails. */
  #close(slot: number): void {
    const fd = this.#open[slot];
    this.#open[slot] = undefined;
    if (fd !== undefined) closeSync(fd);
  }
}

/**
 * Carries out orders until the last.
 * @param source the ring that the pieces lie in, read by the side that gives the orders, and where
 *   the digests of what is written go
 * @throws WorkStopped, and errors of system calls
 */
export function carryOutOrders(
  queue: FillQueueMemory,
  source: { ring: RingReader; data: SharedArrayBuffer; digests?: DigestLog | undefined },
): void {
  const words = new Int32Array(queue.control);
  const orders = new Float64Array(queue.orders);
  const number = (base: number, name: keyof typeof field) => orders[base + field[name]] ?? unset;
  try {
    for (let done = 0; ; done++) {
      while (Atomics.load(words, pushedWord) === done) {
        Atomics.store(words, wantsPushed, 1);
        source.ring.checkStopped();
        if (Atomics.load(words, pushedWord) === done) sleep(words, wantsPushed);
      }
      source.ring.checkStopped();
      const base = (done % capacity) * fields;
      const tasks = number(base, "tasks");
      const fd = number(base, "fd");
      if (tasks & (task.write | task.finish)) {
        const piece = Buffer.from(source.data, number(base, "at"), number(base, "length"));
        source.digests?.add(piece, { isLast: (tasks & task.finish) !== 0 });
        if (piece.length > 0) writeAll(fd, piece);
      }
      if (tasks & task.finish) finishFile(fd, finishOf(base, number));
      if (tasks & task.release) source.ring.release();
      Atomics.store(words, doneWord, done + 1);
      const isLast = Atomics.load(words, pushedWord) === done + 1;
      if (isLast || (done + 1) % batch === 0) wake(words, wantsDone);
      if (tasks & task.end) return;
    }
  } finally {
    leaveFillQueue(queue);
  }
}

/** Says that nobody carries out orders, any more or at all. */
export function leaveFillQueue({ control }: FillQueueMemory): void {
  const words = new Int32Array(control);
  Atomics.store(words, goneWord, 1);
  Atomics.notify(words, goneWord);
  wake(words, wantsDone);
}

/**
 * Sleeps until the other side wakes this one, which has said in the word that it wants that, and has
 * looked again since. The word itself is slept on: a wake that came in between has changed it.
 */
function sleep(words: Int32Array, wanted: number): void {
  Atomics.wait(words, wanted, 1, patience);
}

/** Wakes the other side, if it sleeps or is about to. */
function wake(words: Int32Array, wanted: number): void {
  if (Atomics.exchange(words, wanted, 0) !== 0) Atomics.notify(words, wanted);
}

function finishOf(
  base: number,
  number: (base: number, name: keyof typeof field) => number,
): FileFinish {
  const mode = number(base, "mode");
  const uid = number(base, "uid");
  return {
    mtime: number(base, "mtime"),
    mode: mode === unset ? undefined : mode,
    owner: uid === unset ? undefined : { uid, gid: number(base, "gid") },
  };
}
