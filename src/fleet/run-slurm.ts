import { execFile } from "node:child_process";
import { errnoOf, StageError } from "../errors.js";
import { printable } from "../host/byte-string.js";

export interface RunSlurmOptions {
  /** What is asked of Slurm, for the error: `say which jobs exist`. Default: the program's name. */
  readonly to?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** How long the program may take, in milliseconds. Default: a minute. */
  readonly timeoutMs?: number | undefined;
  /** Its standard input. Default: empty. */
  readonly input?: string | undefined;
  /** Its environment. Default: this process's. */
  readonly env?: NodeJS.ProcessEnv | undefined;
}

const minute = 60_000;

/**
 * Runs one of Slurm's programs to its end, and returns what it printed.
 * @throws StageError BUSY when it can't be started, fails, or takes too long; what `signal` was aborted with
 */
export async function runSlurm(
  [program, ...args]: readonly [string, ...string[]],
  { to = `run ${program}`, signal, timeoutMs = minute, input = "", env }: RunSlurmOptions = {},
): Promise<string> {
  signal?.throwIfAborted();
  return await new Promise<string>((resolve, reject) => {
    const limits = { signal, env, timeout: timeoutMs, maxBuffer: 1 << 28 };
    const options = { ...limits, killSignal: "SIGKILL" } as const;
    const child = execFile(program, args, options, (error, stdout, stderr) => {
      if (!error) return resolve(stdout);
      if (signal?.aborted) return reject(signal.reason);
      const { reason, hint } = faultOf(error, { program, stderr, timeoutMs });
      const message = printable(`Slurm can't ${to}: ${reason}`);
      reject(new StageError("BUSY", message, { hint, cause: error }));
    });
    // A program that ends without reading its input has said why elsewhere.
    child.stdin?.on("error", () => {});
    child.stdin?.end(input);
  });
}

interface Run {
  readonly program: string;
  readonly stderr: string;
  readonly timeoutMs: number;
}

function faultOf(
  error: Error & { readonly killed?: boolean | undefined },
  { program, stderr, timeoutMs }: Run,
): { readonly reason: string; readonly hint: string } {
  if (errnoOf(error) === "ENOENT") {
    return { reason: `there is no ${program} on PATH`, hint: "put Slurm's programs on PATH" };
  }
  const hint = `is Slurm's controller up? See what ${program} says by itself`;
  if (error.killed) {
    return { reason: `${program} took more than ${timeoutMs / 1000} s`, hint };
  }
  const [said = ""] = stderr.trim().split("\n");
  return { reason: said || error.message, hint };
}
