import { setUpBench } from "./bench.js";
import { seedFrom } from "./dice.js";
import { keepFailure, minimised } from "./failure.js";
import { drawCase, type Target } from "./fuzz-case.js";
import { runCase } from "./run-case.js";
import { startWatchdog } from "./watchdog.js";

export interface FuzzOptions {
  readonly seed: number;
  /** The numbers of the cases to run. */
  readonly from: number;
  readonly to: number;
}

/** What came of how many inputs. */
export type Outcomes = ReadonlyMap<string, number>;

const batch = 250;

/** Runs a target's cases. @throws Error that tells the smallest failure of the first bad case */
export async function fuzz(target: Target, options: FuzzOptions): Promise<Outcomes> {
  const { seed, from, to } = options;
  const outcomes = new Map<string, number>();
  const again = `FUZZ_SEED=${seed} FUZZ_TARGET=${target.name}`;
  const bench = setUpBench();
  const watchdog = startWatchdog(again, bench.directory);
  try {
    for (let number = from; number < to; number++) {
      watchdog.beat(number);
      const fuzzCase = drawCase(target, seedFrom(seed, target.name, number));
      const outcome = await runCase(fuzzCase, bench).catch(async (error: unknown) => {
        const smallest = await minimised({ fuzzCase, error }, bench);
        throw new Error(keepFailure(smallest, `${again} FUZZ_CASE=${number}`));
      });
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      if (number % batch === batch - 1 || number === to - 1) {
        checkTidy(bench, `up to ${again} FUZZ_CASE=${number}`);
      }
    }
    return outcomes;
  } finally {
    await watchdog.stop();
    bench.remove();
  }
}

function checkTidy(bench: ReturnType<typeof setUpBench>, when: string): void {
  try {
    bench.checkTidy();
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : error}, ${when}`, { cause: error });
  }
}
