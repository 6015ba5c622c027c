/**
 * How far the unpacking of a layer is, as the thread that does it tells others: plain memory, so
 * that it can go to another thread.
 */
export type UnpackProgress = SharedArrayBuffer;

const storedWord = 0;
const contentWord = 1;

export function createUnpackProgress(): UnpackProgress {
  return new SharedArrayBuffer(2 * BigInt64Array.BYTES_PER_ELEMENT);
}

/** Adds to what was read of the blob as it is stored, and to what that held, in bytes. */
export function addProgress(
  progress: UnpackProgress | undefined,
  { stored = 0, content = 0 }: { stored?: number; content?: number },
): void {
  if (!progress) return;
  const words = new BigInt64Array(progress);
  if (stored > 0) Atomics.add(words, storedWord, BigInt(stored));
  if (content > 0) Atomics.add(words, contentWord, BigInt(content));
}

/** What was read so far of a blob as it is stored, and what that held, in bytes. */
export function readProgress(progress: UnpackProgress): { stored: number; content: number } {
  const words = new BigInt64Array(progress);
  return {
    stored: Number(Atomics.load(words, storedWord)),
    content: Number(Atomics.load(words, contentWord)),
  };
}
