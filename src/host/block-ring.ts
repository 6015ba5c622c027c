import { WorkStopped } from "./work-stopped.js";

/**
 * A ring of memory blocks that one thread fills and others read, each of them all blocks in order.
 * Every side waits for the others synchronously: it is for threads that do nothing else.
 *
 * A block holds two areas: what was read from a blob, and what came of it. They belong together
 * only so far that both become visible at once.
 */
export interface RingMemory {
  readonly control: SharedArrayBuffer;
  readonly data: SharedArrayBuffer;
  readonly shape: RingShape;
}

export interface RingShape {
  readonly blocks: number;
  /** Length of a block's areas in bytes. */
  readonly input: number;
  readonly output: number;
  readonly readers: number;
}

/** Words of the control memory. After them: what each reader is done with, then the lengths. */
const published = 0;
const stopped = 1;
const firstReader = 2;

/** Lengths of this kind mark the end instead of a block. */
const ended = -1;
const failed = -2;

/** A wait is looked at again after so many ms, so that none goes on when all others are gone. */
const patience = 200;

export function createRing(shape: RingShape): RingMemory {
  const words = firstReader + shape.readers + 2 * shape.blocks;
  return {
    control: new SharedArrayBuffer(words * Int32Array.BYTES_PER_ELEMENT),
    data: new SharedArrayBuffer(shape.blocks * (shape.input + shape.output)),
    shape,
  };
}

/** Makes all who wait for a block, or will, throw {@link WorkStopped}. */
export function stopRing({ control }: RingMemory): void {
  const words = new Int32Array(control);
  Atomics.store(words, stopped, 1);
  for (let word = 0; word < words.length; word++) Atomics.notify(words, word);
}

/** The areas of one block, as far as they are filled. */
export interface Block {
  readonly input: Buffer;
  readonly output: Buffer;
}

class RingSide {
  protected readonly words: Int32Array;
  protected readonly shape: RingShape;
  readonly #areas: readonly Block[];

  constructor({ control, data, shape }: RingMemory) {
    this.words = new Int32Array(control);
    this.shape = shape;
    const size = shape.input + shape.output;
    this.#areas = Array.from({ length: shape.blocks }, (_, i) => ({
      output: Buffer.from(data, i * size, shape.output),
      input: Buffer.from(data, i * size + shape.output, shape.input),
    }));
  }

  /** @throws WorkStopped */
  checkStopped(): void {
    if (Atomics.load(this.words, stopped) !== 0) throw new WorkStopped("the work was given up");
  }

  protected areas(index: number): Block {
    const areas = this.#areas[index % this.shape.blocks];
    if (!areas) throw new RangeError(`no block ${index}`);
    return areas;
  }

  /** The word that holds the length of a block's input; that of its output is the next. */
  protected lengthWord(index: number): number {
    return firstReader + this.shape.readers + 2 * (index % this.shape.blocks);
  }

  /** Waits until `isReady` holds for what `word` counts. */
  protected waitFor(word: number, isReady: (count: number) => boolean): void {
    for (;;) {
      this.checkStopped();
      const count = Atomics.load(this.words, word);
      if (isReady(count)) return;
      Atomics.wait(this.words, word, count, patience);
    }
  }
}

/** The side that fills the blocks. */
export class RingWriter extends RingSide {
  #index = 0;

  /** The next block to fill, once all readers are done with it. @throws WorkStopped */
  next(): Block {
    const oldest = this.#index - this.shape.blocks;
    for (let reader = 0; reader < this.shape.readers; reader++) {
      this.waitFor(firstReader + reader, (done) => done > oldest);
    }
    return this.areas(this.#index);
  }

  /** Hands the block to the readers. @param lengths what was filled of its areas, in bytes */
  publish(lengths: { input: number; output: number }): void {
    const word = this.lengthWord(this.#index++);
    Atomics.store(this.words, word, lengths.input);
    Atomics.store(this.words, word + 1, lengths.output);
    Atomics.store(this.words, published, this.#index);
    Atomics.notify(this.words, published);
  }

  /** After the last block. @throws WorkStopped */
  end(): void {
    this.next();
    this.publish({ input: ended, output: 0 });
  }

  /** In place of the rest: readers get all blocks before, and then WorkStopped. @throws WorkStopped */
  fail(): void {
    this.next();
    this.publish({ input: failed, output: 0 });
  }
}

/** A side that reads all blocks. */
export class RingReader extends RingSide {
  readonly #word: number;
  #index = 0;

  /** @param reader its number, from 0; no two may have the same */
  constructor(memory: RingMemory, reader: number) {
    super(memory);
    this.#word = firstReader + reader;
  }

  /** The next block, or undefined after the last. It stays valid until it is released. @throws WorkStopped */
  next(): Block | undefined {
    const index = this.#index;
    this.waitFor(published, (count) => count > index);
    const word = this.lengthWord(index);
    const input = Atomics.load(this.words, word);
    if (input === ended) return undefined;
    if (input === failed) throw new WorkStopped("the blocks end before the work does");
    this.#index++;
    const areas = this.areas(index);
    const output = Atomics.load(this.words, word + 1);
    return { input: areas.input.subarray(0, input), output: areas.output.subarray(0, output) };
  }

  /** Gives the oldest block that was taken back to the writer. */
  release(): void {
    Atomics.add(this.words, this.#word, 1);
    Atomics.notify(this.words, this.#word);
  }
}
