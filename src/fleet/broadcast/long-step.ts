import { spawn } from "node:child_process";
import { StageError } from "../../errors.js";
import { printable } from "../../host/byte-string.js";
import { eachLine } from "../../host/lines.js";

export interface LongStepOptions<Said> {
  readonly argv: readonly [string, ...string[]];
  readonly env: NodeJS.ProcessEnv;
  /** How many lines there are to come before it counts as begun. */
  readonly count: number;
  /** What a line says; undefined for one that counts for nothing. */
  readonly read: (line: string) => Said | undefined;
  /** Within how many seconds it has to begin. */
  readonly startWithin: number;
  readonly signal?: AbortSignal | undefined;
}

/** A step that lasts until it is told to end, or its caller dies. */
export interface LongStep<Said> {
  /** What its tasks said when they began, which may be fewer than there should be. */
  readonly said: readonly Said[];
  /** Resolves when it has ended; harmless when repeated. */
  readonly end: () => Promise<void>;
}

/** How many lines of stderr are kept. */
const keptLines = 50;

/** How long it may take to end by itself, in milliseconds; and then by a signal. */
const patience = 10_000;

/**
 * Starts a step whose tasks read their input to its end and then end: when told to, and also when
 * this process is killed, because the kernel closes the input then.
 * @throws StageError BUSY when no task has begun in time; what `signal` was aborted with
 */
export async function startLongStep<Said>(options: LongStepOptions<Said>): Promise<LongStep<Said>> {
  const { argv, env, count, read, startWithin, signal } = options;
  signal?.throwIfAborted();
  const [program, ...args] = argv;
  // No key of the terminal is to reach it: what it holds is needed for cleaning up.
  const child = spawn(program, args, { env, detached: true, stdio: "pipe" });
  const said: Said[] = [];
  const words: string[] = [];
  const closed = new Promise<void>((resolve) => {
    child.once("error", (error) => {
      words.push(error.message);
      resolve();
    });
    child.once("close", () => resolve());
  });
  child.stdin.on("error", () => {});
  const begun = new Promise<void>((resolve) => {
    void eachLine(child.stdout, (line) => {
      const value = read(line);
      if (value !== undefined) said.push(value);
      if (said.length >= count) resolve();
    });
  });
  void eachLine(child.stderr, (line) => {
    words.push(line);
    if (words.length > keptLines) words.shift();
  });
  const end = async () => {
    child.stdin.end();
    const kill = [
      setTimeout(() => child.kill("SIGTERM"), patience),
      setTimeout(() => child.kill("SIGKILL"), 2 * patience),
    ];
    await closed;
    for (const timer of kill) clearTimeout(timer);
  };
  const gaveUp = giveUp({ startWithin, signal });
  await Promise.race([begun, closed, gaveUp.promise]);
  gaveUp.clear();
  if (!signal?.aborted && said.length > 0) return { said, end };
  child.kill("SIGTERM");
  await end();
  signal?.throwIfAborted();
  const last = words.filter((line) => !/queued and waiting|has been allocated/.test(line)).at(-1);
  const reason = last?.replace(/^srun: (?:error: )?/, "") ?? "it does not say why";
  throw new StageError(
    "BUSY",
    printable(`Slurm did not give the nodes within ${startWithin} s: ${reason}`),
    { hint: "allow more with --start-within SECONDS, or call it in a job that has the nodes" },
  );
}

function giveUp({
  startWithin,
  signal,
}: Pick<LongStepOptions<unknown>, "startWithin" | "signal">): {
  readonly promise: Promise<void>;
  readonly clear: () => void;
} {
  let clear = () => {};
  const promise = new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, startWithin * 1000);
    const stop = () => resolve();
    signal?.addEventListener("abort", stop, { once: true });
    clear = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", stop);
    };
  });
  return { promise, clear };
}
