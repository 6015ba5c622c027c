/** A good size for blocks, in bytes: whole tar blocks, and few enough to stay in a core's cache. */
export const outputBlock: number = 256 * 1024;

/** Fills blocks of memory one after another, each of them to its end but for the last. */
export class BlockFiller {
  readonly #nextBlock: () => Buffer;
  #block: Buffer = noBlock;
  #filled = 0;

  /** @param nextBlock gives the next block to fill, called when the one before was handed out */
  constructor(nextBlock: () => Buffer) {
    this.#nextBlock = nextBlock;
  }

  /** Where the next bytes go; never empty. */
  room(): Buffer {
    if (this.#block === noBlock) {
      this.#block = this.#nextBlock();
      this.#filled = 0;
    }
    return this.#filled === 0 ? this.#block : this.#block.subarray(this.#filled);
  }

  /** Counts `length` bytes that were written into {@link room}; the block, once it is full. */
  advance(length: number): Buffer | undefined {
    this.#filled += length;
    return this.#filled === this.#block.length ? this.#take() : undefined;
  }

  /** Copies a piece of any length, and yields the blocks that it fills. */
  *copy(piece: Buffer): Generator<Buffer, void, void> {
    for (let at = 0; at < piece.length; ) {
      const copied = piece.copy(this.room(), 0, at);
      at += copied;
      const full = this.advance(copied);
      if (full) yield full;
    }
  }

  /** The filled part of a block that is not full, if any. In each case a new block comes next. */
  rest(): Buffer | undefined {
    if (this.#block === noBlock) return undefined;
    const taken = this.#take();
    return taken.length > 0 ? taken : undefined;
  }

  #take(): Buffer {
    const taken = this.#block.subarray(0, this.#filled);
    this.#block = noBlock;
    return taken;
  }
}

const noBlock: Buffer = Buffer.alloc(0);

/** Gives the same block again and again, for those that are done with it before they ask again. */
export function oneBlock(size: number = outputBlock): () => Buffer {
  let block: Buffer | undefined;
  return () => {
    block ??= Buffer.allocUnsafeSlow(size);
    return block;
  };
}
