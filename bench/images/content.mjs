// @ts-check
/**
 * File content that decompression has as much work with as with real programs and texts. It is made
 * the way deflate sees data: bytes on their own, and repetitions of what came up to 32 KiB before.
 * The lengths are chosen so that gzip makes 2.7 bytes into one, as it does with Debian's packages.
 */
import { seededRandom } from "./random.mjs";

const POOL_SIZE = 32 * 1024 * 1024;
const WINDOW = 32 * 1024;

/** How many bytes come on their own, and how many are repeated, on average. */
const LITERALS = 4;
const REPEATED = 12;
const SHORTEST_REPETITION = 3;

/** Content comes from the pool in pieces of at most so many bytes: far more than gzip looks back. */
const PIECE = 256 * 1024;

const POOL_SEED = 20;

/** @type {Buffer | undefined} */
let pool;

/**
 * @param {number} seed
 * @returns {(size: number) => Buffer} gives other content each time
 */
export function contentSource(seed) {
  const random = seededRandom(seed);
  pool ??= makePool(seededRandom(POOL_SEED));
  const from = pool;
  return (size) => {
    const content = Buffer.allocUnsafe(size);
    for (let at = 0; at < size; at += PIECE) {
      const length = Math.min(PIECE, size - at);
      const start = Math.floor(random() * (POOL_SIZE - length));
      from.copy(content, at, start, start + length);
    }
    return content;
  };
}

/** @param {() => number} random */
function makePool(random) {
  const made = Buffer.alloc(POOL_SIZE);
  for (let at = 0; at < POOL_SIZE; ) {
    for (const end = at + 1 + exponential(random, LITERALS); at < end && at < POOL_SIZE; at++) {
      // Squared, as low values are more frequent in real data too.
      made[at] = Math.floor(256 * random() ** 2);
    }
    const distance = 1 + Math.floor(Math.min(at, WINDOW) ** random());
    const end = at + SHORTEST_REPETITION + exponential(random, REPEATED);
    for (; at >= distance && at < end && at < POOL_SIZE; at++) {
      made[at] = made[at - distance] ?? 0;
    }
  }
  return made;
}

/**
 * @param {() => number} random
 * @param {number} mean
 */
function exponential(random, mean) {
  return Math.floor(-Math.log(1 - random()) * mean);
}
