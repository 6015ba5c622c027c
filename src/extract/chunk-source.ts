import type { TarSource } from "../oci/tar/reader.js";

/**
 * Pieces of any size as a source that a tar reader can take what it needs from. Copies only what
 * lies across two pieces.
 */
export class ChunkSource implements TarSource {
  readonly #pieces: Iterator<Buffer, undefined>;
  #piece: Buffer = Buffer.alloc(0);
  #at = 0;

  constructor(pieces: Iterator<Buffer, undefined>) {
    this.#pieces = pieces;
  }

  read(length: number): Buffer {
    const start = this.readSome(length);
    if (start.length === length || start.length === 0) return start;
    const whole = Buffer.alloc(length);
    let filled = start.copy(whole);
    while (filled < length) {
      const more = this.readSome(length - filled);
      if (more.length === 0) return whole.subarray(0, filled);
      filled += more.copy(whole, filled);
    }
    return whole;
  }

  readSome(most: number): Buffer {
    if (!this.#fill()) return this.#piece.subarray(this.#at);
    const end = Math.min(this.#at + most, this.#piece.length);
    const some = this.#piece.subarray(this.#at, end);
    this.#at = end;
    return some;
  }

  skip(length: number): number {
    let skipped = 0;
    while (skipped < length) {
      const some = this.readSome(length - skipped);
      if (some.length === 0) break;
      skipped += some.length;
    }
    return skipped;
  }

  /** Pulls all that is left. */
  drain(): void {
    while (this.#fill()) this.#at = this.#piece.length;
  }

  #fill(): boolean {
    while (this.#at === this.#piece.length) {
      const next = this.#pieces.next();
      if (next.value === undefined) return false;
      this.#piece = next.value;
      this.#at = 0;
    }
    return true;
  }
}
