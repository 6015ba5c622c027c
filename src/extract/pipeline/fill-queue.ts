import { closeSync } from "node:fs";
import { type RingReader, RingStopped } from "../../host/block-ring.js";
import { writeAll } from "../../host/write-all.js";
import {
  type ContentReader,
  type FileFiller,
  type FileFinish,
  finishFile,
} from "../file-content.js";

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

/** Words of the control memory. */
const pushedWord = 0;
const doneWord = 1;
const goneWord = 2;

/** A wait is looked at again after so many ms, so that none goes on when the other side is gone. */
const patience = 200;

export function createFillQueue(): FillQueueMemory {
  return {
    control: new SharedArrayBuffer(3 * Int32Array.BYTES_PER_ELEMENT),
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

  fill(fd: number, { content, finish }: { content: ContentReader; finish: FileFinish }): number {
    this.#current = fd;
    let size = 0;
    let piece = content();
    for (;;) {
      size += piece.length;
      const at = piece.length === 0 ? 0 : this.#place(piece);
      const { length } = piece;
      // The order that completes the file carries its last piece, so small files need only one.
      piece = length === 0 ? piece : content();
      const tasks = (length > 0 ? task.write : 0) | (piece.length === 0 ? task.finish : 0);
      this.#push(tasks, { fd, at, length, finish });
      if (piece.length === 0) break;
    }
    this.#current = undefined;
    return size;
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

  /** After a failure: closes what is open, once the other side writes no more. */
  abandon(): void {
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
    const open = this.#open[slot];
    if (open !== undefined) closeSync(open);
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
    Atomics.notify(this.#words, pushedWord);
  }

  #waitUntil(isReady: () => boolean): void {
    while (!isReady()) {
      this.#ring.checkStopped();
      if (Atomics.load(this.#words, goneWord) !== 0) throw new RingStopped("nobody fills files");
      Atomics.wait(this.#words, doneWord, Atomics.load(this.#words, doneWord), patience);
    }
  }

  #closeAll(): void {
    for (const fd of this.#open) if (fd !== undefined) closeSync(fd);
    this.#open.fill(undefined);
  }
}

/**
 * Carries out orders until the last.
 * @param source the ring that the pieces lie in, read by the side that gives the orders
 * @throws RingStopped, and errors of system calls
 */
export function carryOutOrders(
  queue: FillQueueMemory,
  source: { ring: RingReader; data: SharedArrayBuffer },
): void {
  const words = new Int32Array(queue.control);
  const orders = new Float64Array(queue.orders);
  const number = (base: number, name: keyof typeof field) => orders[base + field[name]] ?? unset;
  try {
    for (let done = 0; ; done++) {
      while (Atomics.load(words, pushedWord) === done) {
        source.ring.checkStopped();
        Atomics.wait(words, pushedWord, done, patience);
      }
      source.ring.checkStopped();
      const base = (done % capacity) * fields;
      const tasks = number(base, "tasks");
      const fd = number(base, "fd");
      if (tasks & task.write) {
        writeAll(fd, Buffer.from(source.data, number(base, "at"), number(base, "length")));
      }
      if (tasks & task.finish) finishFile(fd, finishOf(base, number));
      if (tasks & task.release) source.ring.release();
      Atomics.store(words, doneWord, done + 1);
      Atomics.notify(words, doneWord);
      if (tasks & task.end) return;
    }
  } finally {
    Atomics.store(words, goneWord, 1);
    Atomics.notify(words, goneWord);
    Atomics.notify(words, doneWord);
  }
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
