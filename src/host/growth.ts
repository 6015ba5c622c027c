import { WorkStopped } from "./work-stopped.js";

/**
 * How far a file is written, shared between the thread that writes it and those that read it. Plain
 * memory, so that it can go to another thread.
 */
export type Growth = SharedArrayBuffer;

/** Words of 32 bits: a count of news, to wait on, and whether the writer has given up. */
const newsWord = 0;
const stoppedWord = 1;
/** The word of 64 bits behind them: how many bytes are there. */
const bytesWord = 1;

export function createGrowth(): Growth {
  return new SharedArrayBuffer(2 * BigInt64Array.BYTES_PER_ELEMENT);
}

/** Says that the file has so many bytes now. */
export function grow(growth: Growth, bytes: number): void {
  Atomics.store(new BigInt64Array(growth), bytesWord, BigInt(bytes));
  announce(growth);
}

/** Says that nothing more will come. */
export function stopGrowth(growth: Growth): void {
  Atomics.store(new Int32Array(growth), stoppedWord, 1);
  announce(growth);
}

/**
 * Whether the file has so many bytes.
 * @throws WorkStopped when it does not, and nobody writes it any more
 */
export function hasGrown(growth: Growth, bytes: number): boolean {
  // Looked at before the bytes: what came last counts.
  const isStopped = Atomics.load(new Int32Array(growth), stoppedWord) !== 0;
  if (Atomics.load(new BigInt64Array(growth), bytesWord) >= BigInt(bytes)) return true;
  if (isStopped) throw new WorkStopped("nobody writes the file any more");
  return false;
}

/**
 * Blocks the thread until the file has so many bytes.
 * @throws WorkStopped when nobody writes it any more
 */
export function awaitGrowth(growth: Growth, bytes: number): void {
  const words = new Int32Array(growth);
  for (;;) {
    const news = Atomics.load(words, newsWord);
    if (hasGrown(growth, bytes)) return;
    Atomics.wait(words, newsWord, news);
  }
}

function announce(growth: Growth): void {
  const words = new Int32Array(growth);
  Atomics.add(words, newsWord, 1);
  Atomics.notify(words, newsWord);
}
