import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { fromSystemError, StageError } from "../../errors.js";
import { eachLine } from "../../host/lines.js";

export interface Step {
  readonly argv: readonly [string, ...string[]];
  readonly env: NodeJS.ProcessEnv;
  readonly input: string;
  /** Within how many seconds the first line has to come. */
  readonly startWithin: number;
  /** Within how many seconds of its first line it has to end. Default: no limit. */
  readonly endWithin?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onLine: (line: string) => void;
  /** What srun says while it runs. */
  readonly onMessage: (line: string) => void;
}

export interface StepEnd {
  /** Null where a signal ended srun. */
  readonly exitCode: number | null;
  /** The last lines of stderr. */
  readonly words: readonly string[];
  /** What did not come in time, for which it was ended. */
  readonly late: "start" | "end" | undefined;
}

/** How many lines of stderr are kept. */
const keptLines = 50;

/** How long what srun left behind may hold its output open, in milliseconds. */
const linger = 2000;

/** How long srun may take to cancel its job, in milliseconds. */
const patience = 15_000;

/** What Node's timers can count, in milliseconds: 24 days. */
const longestTimer = 2 ** 31 - 1;

/**
 * Runs srun to its end. Its job is cancelled when `signal` is aborted, when no line comes in time,
 * when it does not end in time, and when this process dies.
 * @throws StageError NOT_FOUND when it can't be started; what `signal` was aborted with
 */
export async function runStep(step: Step): Promise<StepEnd> {
  const { signal, startWithin, endWithin } = step;
  signal?.throwIfAborted();
  const [program, ...args] = step.argv;
  // In a session of its own no key of the terminal reaches it before this process has heard of it.
  const child = spawn(program, args, { env: step.env, detached: true, stdio: "pipe" });
  const words: string[] = [];
  let late: StepEnd["late"];
  let kill: NodeJS.Timeout | undefined;
  const stop = () => {
    child.kill("SIGTERM");
    kill ??= setTimeout(() => child.kill("SIGKILL"), patience);
  };
  const limit = (what: "start" | "end", seconds: number) => {
    const stopLate = () => {
      late = what;
      stop();
    };
    return setTimeout(stopLate, Math.min(seconds * 1000, longestTimer));
  };
  const toStart = limit("start", startWithin);
  let toEnd: NodeJS.Timeout | undefined;
  signal?.addEventListener("abort", stop, { once: true });
  // A step that ends without reading its input says why elsewhere.
  child.stdin.on("error", () => {});
  child.stdin.end(step.input);
  const told = [
    eachLine(child.stdout, (line) => {
      clearTimeout(toStart);
      if (endWithin !== undefined) toEnd ??= limit("end", endWithin);
      step.onLine(line);
    }),
    eachLine(child.stderr, (line) => {
      words.push(line);
      if (words.length > keptLines) words.shift();
      step.onMessage(line);
    }),
  ];
  try {
    const exitCode = await new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", resolve);
    });
    await Promise.race([Promise.all(told), sleep(linger, undefined, { ref: false })]);
    signal?.throwIfAborted();
    return { exitCode, words, late };
  } catch (error) {
    throw signal?.aborted ? signal.reason : fromSystemError(error, `run ${program}`);
  } finally {
    clearTimeout(toStart);
    clearTimeout(toEnd);
    clearTimeout(kill);
    signal?.removeEventListener("abort", stop);
    child.stdout.destroy();
    child.stderr.destroy();
  }
}

/** Why a step that said nothing in time was ended. */
export function notStarted(
  { words }: Pick<StepEnd, "words">,
  { startWithin }: Pick<Step, "startWithin">,
): StageError {
  const isQueued = words.some((line) => /^srun: job \d+ queued/.test(line));
  const isAllocated = words.some((line) => /^srun: job \d+ has been allocated/.test(line));
  const why =
    isQueued && !isAllocated
      ? "its job did not start, for lack of room on the node or because of a limit"
      : "the node does not answer";
  return new StageError("BUSY", `it did not begin within ${startWithin} s: ${why}`, {
    hint: "try again later, or allow more with --start-within SECONDS",
  });
}

/** Why a step that went on too long after its first line was ended. */
export function notEnded({ endWithin }: { readonly endWithin: number }): StageError {
  return new StageError("BUSY", `it did not end within ${endWithin} s, and was ended`, {
    hint: "its process or its disk may hang: look there, or allow more with --deadline SECONDS",
  });
}
