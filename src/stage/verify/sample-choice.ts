import { randomInt } from "node:crypto";
import type { Sample } from "./result.js";

/** A sample of so many of a hundred files, by a seed of its own. */
export function newSample(percent: number): Sample {
  return { percent, seed: randomInt(2 ** 31) };
}

/** Chooses files by chance; the same ones for the same seed and the same order. */
export class SampleChoice {
  readonly #share: number;
  #state: number;

  constructor({ percent, seed }: Sample) {
    this.#share = percent / 100;
    this.#state = seed >>> 0;
  }

  /** Whether the next file is among those chosen. */
  next(): boolean {
    return this.#random() < this.#share;
  }

  /** SplitMix32: a number from 0 to below 1. */
  #random(): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0;
    let word = this.#state;
    word = Math.imul(word ^ (word >>> 16), 0x21f0aaad);
    word = Math.imul(word ^ (word >>> 15), 0x735a2d97);
    return ((word ^ (word >>> 15)) >>> 0) / 2 ** 32;
  }
}
