import { writeSync } from "node:fs";
import { errnoOf } from "../errors.js";

const stdout = 1;

/**
 * Writes to stdout without Node's stream for it, which takes longer to load than an image takes to
 * be found in the cache.
 * @throws errors of write(2)
 */
export function writeAtOnce(text: string): void {
  let rest = Buffer.from(text);
  while (rest.length > 0) rest = rest.subarray(writeSome(rest));
}

/** Waits for room in a pipe, also in one that somebody made non-blocking. */
function writeSome(bytes: Buffer): number {
  try {
    return writeSync(stdout, bytes);
  } catch (error) {
    if (errnoOf(error) !== "EAGAIN") throw error;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    return 0;
  }
}
