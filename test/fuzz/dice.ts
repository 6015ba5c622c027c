import { randomNumbers } from "../support/random-numbers.js";

/** Chance that can be had again: all of it depends on the seed alone. */
export class Dice {
  readonly #next: () => number;

  constructor(seed: number) {
    this.#next = randomNumbers(seed);
  }

  /** A whole number from 0 to `limit - 1`; 0 where there is none. */
  below(limit: number): number {
    return Math.floor(this.#next() * limit);
  }

  chance(probability: number): boolean {
    return this.#next() < probability;
  }

  pick<Value>(values: readonly Value[]): Value {
    const value = values[this.below(values.length)];
    if (value === undefined) throw new RangeError("nothing to pick from");
    return value;
  }

  /** A small number, mostly 1. */
  few(most: number): number {
    let count = 1;
    while (count < most && this.chance(0.4)) count++;
    return count;
  }

  /** A seed for other dice. */
  seed(): number {
    return this.below(2 ** 32);
  }
}

/** One seed of several numbers and words, each of which changes all of it (FNV-1a). */
export function seedFrom(...sources: readonly (number | string)[]): number {
  let hash = 0x811c9dc5;
  for (const character of sources.join("\0")) {
    hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b);
  return (hash ^ (hash >>> 16)) >>> 0;
}
