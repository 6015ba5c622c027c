// @ts-check

/**
 * Numbers from 0 up to 1 that are the same for the same seed, on any machine (mulberry32).
 * @param {number} seed a whole number
 * @returns {() => number}
 */
export function seededRandom(seed) {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * A whole number from `from` up to `to`, both included.
 * @param {() => number} random
 * @param {{ from: number, to: number }} range
 */
export function between(random, { from, to }) {
  return from + Math.floor(random() * (to - from + 1));
}
