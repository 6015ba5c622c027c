import type { Canary } from "../support/canary.js";
import { blockMutators } from "./block-mutators.js";
import { byteMutators } from "./byte-mutators.js";
import { Dice } from "./dice.js";
import { headerMutators } from "./header-mutators.js";
import { jsonMutators } from "./json-mutators.js";
import type { Mutators } from "./mutator.js";

const mutatorsOf: Readonly<Record<Part["kind"], Mutators>> = {
  bytes: byteMutators,
  json: jsonMutators,
  tar: { ...blockMutators, ...headerMutators },
};

/** How many mutations know nothing of what they change, of one: most of these end early. */
const bytewise = 0.15;

/** One of the things that an input consists of; its kind decides how it is mutated. */
export interface Part {
  readonly kind: "bytes" | "json" | "tar";
  readonly bytes: Buffer;
}

/** An input, or the seed of one: its parts by name. */
export type Input = Readonly<Record<string, Part>>;

/** Where a case may work, and what of its chances is not in the mutations. */
export interface Site {
  /** A fresh directory, removed afterwards; its parent holds the canary, as `canary`. */
  readonly directory: string;
  readonly canary: Canary;
  readonly dice: Dice;
}

/** Code under test, and inputs that it takes. */
export interface Target {
  readonly name: string;
  /** How many of all inputs are for it, of a hundred. */
  readonly share: number;
  readonly seeds: Readonly<Record<string, Input>>;
  /**
   * Feeds it an input.
   * @returns what came of it, in a word or two: of equal ones there should be few
   * @throws whatever is a bug
   */
  readonly run: (input: Input, site: Site) => Promise<string> | string;
  /** Some of the outcomes that many inputs come to: without them, the inputs would be no good. */
  readonly reaches: readonly string[];
}

/** One mutation; with the input it is applied to, it says all about the outcome. */
export interface Mutation {
  readonly part: string;
  /** As what the part is mutated. */
  readonly kind: Part["kind"];
  readonly mutator: string;
  readonly seed: number;
}

export interface FuzzCase {
  readonly target: Target;
  readonly seedName: string;
  readonly mutations: readonly Mutation[];
  /** For {@link Site.dice}. */
  readonly siteSeed: number;
}

/** The case that a seed stands for. */
export function drawCase(target: Target, seed: number): FuzzCase {
  const dice = new Dice(seed);
  const seedName = dice.pick(Object.keys(target.seeds));
  const input = target.seeds[seedName] ?? {};
  const mutations = Array.from({ length: dice.few(6) }, (): Mutation => {
    const part = dice.pick(Object.keys(input));
    const kind = dice.chance(bytewise) ? "bytes" : (input[part]?.kind ?? "bytes");
    return { part, kind, mutator: dice.pick(Object.keys(mutatorsOf[kind])), seed: dice.seed() };
  });
  return { target, seedName, mutations, siteSeed: dice.seed() };
}

export interface Mutant {
  readonly input: Input;
  /** What each mutation did. */
  readonly said: readonly string[];
}

/** Applies a case's mutations to its seed. */
export function mutantOf({ target, seedName, mutations }: FuzzCase): Mutant {
  const input: Record<string, Part> = { ...target.seeds[seedName] };
  const said = mutations.map(({ part, kind, mutator, seed }) => {
    const before = input[part];
    if (!before) throw new RangeError(`the seed ${seedName} has no part ${part}`);
    const dice = new Dice(seed);
    const mutate = mutatorsOf[kind][mutator];
    if (!mutate) throw new RangeError(`no mutator ${mutator}`);
    const other = dice.chance(0.5) ? input : dice.pick(Object.values(target.seeds));
    const donor = donorOf(other, { kind: before.kind, dice });
    const change = mutate(before.bytes, { dice, donor });
    input[part] = { ...before, bytes: change.bytes };
    return `${part}: ${change.said}`;
  });
  return { input, said };
}

/** A part of an input that is of a kind; nothing where there is none. */
function donorOf(input: Input, wanted: { kind: Part["kind"]; dice: Dice }): Buffer {
  const { kind, dice } = wanted;
  const parts = Object.values(input).filter((part) => part.kind === kind);
  return parts.length === 0 ? Buffer.alloc(0) : dice.pick(parts).bytes;
}
