/** Stops this thread for so many milliseconds; a signal that has no handler ends the process. */
export function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
