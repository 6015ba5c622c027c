import type { Dice } from "./dice.js";

/** What a mutation made of some bytes, and how it would tell it. */
export interface Change {
  readonly bytes: Buffer;
  readonly said: string;
}

export interface MutatorOptions {
  readonly dice: Dice;
  /** Bytes of the same kind, from another seed or another part of this one. */
  readonly donor: Buffer;
}

/** Changes bytes in a way that depends on them and on the dice alone; the input stays as it is. */
export type Mutator = (bytes: Buffer, options: MutatorOptions) => Change;

/** Mutators by name: a case that failed is told and tried again by these. */
export type Mutators = Readonly<Record<string, Mutator>>;
