import { writeSync } from "node:fs";
import { errnoOf } from "../errors.js";
import { pause } from "../host/pause.js";

const stdout = 1;

/**
 * Writes without Node's stream for stdout, which takes longer to load than an image takes to be
 * found in the cache.
 * @param fd default: stdout
 * @throws errors of write(2)
 */
export function writeAtOnce(text: string, fd: number = stdout): void {
  let rest = Buffer.from(text);
  while (rest.length > 0) rest = rest.subarray(writeSome(rest, fd));
}

/** Waits for room in a pipe, also in one that somebody made non-blocking. */
function writeSome(bytes: Buffer, fd: number): number {
  try {
    return writeSync(fd, bytes);
  } catch (error) {
    if (errnoOf(error) !== "EAGAIN") throw error;
    pause(1);
    return 0;
  }
}
