import * as fc from "fast-check";
import { fuzzSettings } from "./fuzz-settings.js";

export interface PropertyOptions<Value> {
  /** What FUZZ_TARGET calls it. */
  readonly name: string;
  readonly runs: number;
  /** A value for people to read. */
  readonly show: (value: Value) => string;
  /** @throws what is wrong with the value; `fc.pre(false)` passes over it */
  readonly holds: (value: Value) => Promise<void>;
}

/**
 * Tries a property with as many values as are asked for, always the same for a seed, and prints
 * how often and with which seed.
 * @throws Error with the smallest value that fails, what fails, and how to have it again
 */
export async function checkProperty<Value>(
  values: fc.Arbitrary<Value>,
  { name, runs, show, holds }: PropertyOptions<Value>,
): Promise<void> {
  const { seed, path } = fuzzSettings();
  const property = fc.asyncProperty(values, holds);
  const details = await fc.check(property, {
    seed,
    maxSkipsPerRun: 10,
    ...(path === undefined ? { numRuns: runs } : { numRuns: 1, path }),
  });
  const again = `FUZZ_SEED=${seed} FUZZ_TARGET=${name}`;
  const tried = `${details.numRuns} tried, ${details.numSkips} passed over`;
  process.stdout.write(`${again}: ${tried}\n`);
  if (!details.failed) return;
  if (details.counterexample === null) throw new Error(`${again}: too few to try: ${tried}`);
  const { numShrinks, counterexamplePath, errorInstance } = details;
  throw new Error(
    [
      `${messageOf(errorInstance)}, with this, the smallest that fails (${numShrinks} steps):`,
      show(details.counterexample[0]),
      `Again: ${again} FUZZ_PATH=${counterexamplePath}`,
    ].join("\n"),
    { cause: errorInstance },
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
