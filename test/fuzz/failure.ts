import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { inspect } from "node:util";
import { type FuzzCase, type Mutation, mutantOf } from "./fuzz-case.js";
import { type Bench, runCase } from "./run-case.js";

export interface Failure {
  readonly fuzzCase: FuzzCase;
  readonly error: unknown;
}

/** The failure of a case; undefined where it does what it should. */
export async function failureOf(fuzzCase: FuzzCase, bench: Bench): Promise<Failure | undefined> {
  try {
    await runCase(fuzzCase, bench);
    return undefined;
  } catch (error) {
    return { fuzzCase, error };
  }
}

/** The same failure, or another, with as few of the mutations as it needs. */
export async function minimised(failure: Failure, bench: Bench): Promise<Failure> {
  const { mutations } = failure.fuzzCase;
  for (const dropped of mutations) {
    const fewer = mutations.filter((mutation: Mutation) => mutation !== dropped);
    const smaller = await failureOf({ ...failure.fuzzCase, mutations: fewer }, bench);
    if (smaller) return await minimised(smaller, bench);
  }
  return failure;
}

/**
 * Keeps a failing input: each of its parts in a file, and what happened in `case.txt`.
 * @param again how to run the case again
 * @returns what to tell about it
 */
export function keepFailure({ fuzzCase, error }: Failure, again: string): string {
  const { target, seedName, mutations } = fuzzCase;
  const directory = mkdtempSync(`${tmpdir()}/stage-rootfs-fuzz-failure-`);
  const { input, said } = mutantOf(fuzzCase);
  for (const [name, { bytes }] of Object.entries(input)) {
    writeFileSync(`${directory}/${name}`, bytes);
  }
  const steps = mutations.map(({ mutator }, i) => `  ${mutator}: ${said[i]}`);
  const told = [
    `${target.name}, the seed "${seedName}" with ${mutations.length} mutations:`,
    ...steps,
    inspect(error, { depth: 4 }).slice(0, 8000),
    `Again, with all mutations: ${again}`,
    `Node.js ${process.version}`,
  ].join("\n");
  writeFileSync(`${directory}/case.txt`, `${told}\n`);
  return `${told}\nThe input is kept in ${directory}`;
}
