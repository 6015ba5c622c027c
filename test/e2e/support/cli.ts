import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { inject } from "vitest";
import { runningAs, type UserKind } from "./users.js";

/** Kills the program as soon as a condition holds. */
export interface KillWhen {
  /** Asked over and over while the program runs. */
  readonly condition: () => boolean | Promise<boolean>;
  /** SIGKILL unless given. */
  readonly signal?: NodeJS.Signals;
}

/** How {@link stageRootfs} runs the program. */
export interface RunOptions {
  /** The ordinary user unless given. */
  readonly as?: UserKind;
  /** Added to an environment that has nothing but PATH. */
  readonly env?: Readonly<Record<string, string>>;
  /** Standard input; empty unless given. */
  readonly input?: string | Uint8Array;
  /** "/" unless given. */
  readonly cwd?: string;
  readonly killWhen?: KillWhen;
  /** After so long the run counts as hanging: it is killed, and that is an error. */
  readonly timeoutMs?: number;
}

/** How a run of the program ended. */
export interface RunResult {
  readonly stdout: string;
  readonly stderr: string;
  /** Undefined where a signal ended it. */
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
}

/** The argv that runs the packaged program on the Node under test. */
export function stageRootfsArgv(args: readonly string[]): [string, ...string[]] {
  return [inject("nodePath"), `${inject("packageDir")}/bin/stage-rootfs.cjs`, ...args];
}

/** Runs the packaged program to its end; a failure of the program is a result, not an error. */
export async function stageRootfs(
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  return await runArgv(stageRootfsArgv(args), options);
}

/** Runs any program as {@link stageRootfs} does its own. */
export async function runArgv(
  [command, ...args]: readonly [string, ...string[]],
  options: RunOptions = {},
): Promise<RunResult> {
  const timeoutMs = options.timeoutMs ?? 100_000;
  const child = execa(command, args, {
    ...runningAs(options.as ?? "ordinary", options.env),
    cwd: options.cwd ?? "/",
    input: options.input ?? "",
    reject: false,
    stripFinalNewline: false,
    timeout: timeoutMs,
    killSignal: "SIGKILL",
  });
  const ended = new AbortController();
  const watch = options.killWhen && killWhen(child, options.killWhen, ended.signal);
  const result = await child.finally(() => ended.abort());
  await watch;
  if (result.timedOut) {
    throw new Error(`${[command, ...args].join(" ")} still ran after ${timeoutMs} ms.`);
  }
  if (result.exitCode === undefined && result.signal === undefined) {
    throw new Error(`${command} could not be started: ${result.message}`);
  }
  const { stdout, stderr, exitCode, signal } = result;
  return { stdout, stderr, exitCode, signal };
}

async function killWhen(
  child: { kill(signal: NodeJS.Signals): boolean },
  { condition, signal = "SIGKILL" }: KillWhen,
  ended: AbortSignal,
): Promise<void> {
  while (!ended.aborted) {
    if (await condition()) {
      child.kill(signal);
      return;
    }
    await sleep(5);
  }
}
