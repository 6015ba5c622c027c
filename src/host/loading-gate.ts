import { setTimeout as sleep } from "node:timers/promises";
import { WorkStopped } from "./work-stopped.js";

/**
 * What keeps threads from being ended while they load code. Native code that is about to be loaded
 * then may abort the whole process, and a module that is about to be read may stay open.
 */
export type LoadingGate = SharedArrayBuffer;

/** Words of a gate: how many threads load something, and whether none may begin to any more. */
const loadingWord = 0;
const closedWord = 1;

/** How often it is looked whether all have loaded, in ms. */
const pause = 2;

export function createLoadingGate(): LoadingGate {
  return new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT);
}

let heeded: Int32Array | undefined;

/** From now on this thread loads code only while the gate is open. Without a gate it always may. */
export function heedLoadingGate(gate: LoadingGate | undefined): void {
  heeded = gate && new Int32Array(gate);
}

/** Loads code at once. @throws WorkStopped when the gate is closed, and what `load` throws */
export function loadNow<Value>(load: () => Value): Value {
  const leave = enter();
  try {
    return load();
  } finally {
    leave();
  }
}

/** Loads code in the background. @throws WorkStopped when the gate is closed, and what `load` throws */
export async function loadLater<Value>(load: () => Promise<Value>): Promise<Value> {
  const leave = enter();
  try {
    return await load();
  } finally {
    leave();
  }
}

/**
 * Keeps threads from loading anything more.
 * @param options.signal gives the wait up
 * @returns when none loads anything any more
 */
export async function closeLoadingGate(
  gate: LoadingGate,
  { signal }: { signal: AbortSignal },
): Promise<void> {
  const words = new Int32Array(gate);
  Atomics.store(words, closedWord, 1);
  while (Atomics.load(words, loadingWord) > 0 && !signal.aborted) await sleep(pause);
}

/** @returns what to call when all is loaded */
function enter(): () => void {
  const words = heeded;
  if (!words) return () => undefined;
  const leave = () => {
    Atomics.sub(words, loadingWord, 1);
  };
  // Said before it is looked, so that whoever closes the gate sees this thread or is seen by it.
  Atomics.add(words, loadingWord, 1);
  if (Atomics.load(words, closedWord) === 0) return leave;
  leave();
  throw new WorkStopped("the work was given up");
}
