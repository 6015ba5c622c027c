/** The same inputs in every run of the suite; `npm run fuzz` tries others each time. */
const usualSeed = 20_000;
const usualRuns = 20_000;

/** What the environment says of fuzzing and of properties (docs/development.md). */
export interface FuzzSettings {
  readonly seed: number;
  /** How much is to be tried, in inputs of all targets together. */
  readonly runs: number;
  /** The one target to try. */
  readonly target: string | undefined;
  /** The one input to try, of mutations. */
  readonly number: number | undefined;
  /** The one input to try, of properties: where fast-check found it. */
  readonly path: string | undefined;
}

/** @throws Error for what is no number */
export function fuzzSettings(environment: NodeJS.ProcessEnv = process.env): FuzzSettings {
  const number = (variable: string) => numberFrom(variable, environment[variable]);
  return {
    seed: number("FUZZ_SEED") ?? usualSeed,
    runs: number("FUZZ_RUNS") ?? usualRuns,
    target: environment["FUZZ_TARGET"],
    number: number("FUZZ_CASE"),
    path: environment["FUZZ_PATH"],
  };
}

/** Whether FUZZ_TARGET asks for something else. */
export function notWanted(target: string): boolean {
  const wanted = fuzzSettings().target;
  return wanted !== undefined && wanted !== "" && wanted !== target;
}

function numberFrom(variable: string, text: string | undefined): number | undefined {
  if (text === undefined || text === "") return undefined;
  if (/^\d{1,10}$/.test(text)) return Number(text);
  throw new Error(`${variable} is not a number: ${text}`);
}
