import { type ChildProcess, spawn } from "node:child_process";
import { closeSync } from "node:fs";
import { StageError } from "../errors.js";
import { BwrapStatus } from "./bwrap-status.js";
import { EngineGuard } from "./engine-guard.js";
import { openContent } from "./fd-files.js";
import type { LaunchCommand } from "./launch-command.js";
import { dyingWithUs } from "./parent-death.js";
import type { Runtime } from "./runtime.js";

/** A command under way. */
export interface Started {
  /** The runtime's first process: when it is killed, the sandbox is gone after {@link close}. */
  readonly child: ChildProcess;
  /** PID of what signals are for; undefined as long as there is none. */
  readonly commandPid: () => number | undefined;
  /** The command's exit status, where a runtime tells it apart from its own. */
  readonly exitCode: () => Promise<number | undefined>;
  /** Does away with what is left when the child has ended. */
  readonly close: () => Promise<void>;
}

interface StartOptions {
  readonly runtime: Runtime;
  /** Whether the command stays in our session, with our terminal. */
  readonly terminal: boolean;
}

/**
 * Starts a command with this process's standard streams, so that it dies with this process.
 * @throws StageError SANDBOX
 */
export function startCommand(command: LaunchCommand, options: StartOptions): Started {
  const { name } = options.runtime;
  if (name === "bwrap") return startBwrap(command, options);
  if (name === "podman" || name === "docker") return startEngine(command, options);
  return withoutReport(spawnCommand(withWords(dyingWithUs(), command), options));
}

function startBwrap(command: LaunchCommand, options: StartOptions): Started {
  const statusFd = Math.max(2, ...command.fds.map(({ fd }) => fd)) + 1;
  const [program, ...words] = command.argv;
  const argv = [program, "--json-status-fd", String(statusFd), ...words] as const;
  const child = spawnCommand({ ...command, argv }, { ...options, statusFd });
  const status = new BwrapStatus(child.stdio[statusFd]);
  return {
    child,
    commandPid: () => status.commandPid,
    exitCode: () => status.exitCode(),
    close: async () => undefined,
  };
}

function startEngine(command: LaunchCommand, options: StartOptions): Started {
  const guard = new EngineGuard(options.runtime.program, command.env);
  const child = spawnCommand(withWords(dyingWithUs(), guard.watched(command)), options);
  guard.watch();
  return {
    ...withoutReport(child),
    close: async () => {
      if (child.signalCode !== null) await guard.kill();
      guard.dismiss();
    },
  };
}

function withoutReport(child: ChildProcess): Started {
  return {
    child,
    commandPid: () => child.pid,
    exitCode: async () => undefined,
    close: async () => undefined,
  };
}

function withWords(words: readonly string[], command: LaunchCommand): LaunchCommand {
  const [first, ...others] = [...words, ...command.argv];
  return first === undefined ? command : { ...command, argv: [first, ...others] };
}

function spawnCommand(
  { argv, env, fds }: LaunchCommand,
  { terminal, statusFd }: StartOptions & { readonly statusFd?: number },
): ChildProcess {
  const [program, ...words] = argv;
  const stdio: ("inherit" | "pipe" | number)[] = ["inherit", "inherit", "inherit"];
  const opened = fds.map(({ fd, content }) => {
    const file = openContent(content);
    stdio[fd] = file;
    return file;
  });
  if (statusFd !== undefined) stdio[statusFd] = "pipe";
  try {
    // In a session of its own a signal from the terminal reaches the command once, through us, and
    // not the runtime, which would die of it and take the command along.
    return spawn(program, words, { env, stdio, detached: !terminal });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StageError("SANDBOX", `cannot start ${program}: ${reason}`, { cause });
  } finally {
    for (const file of opened) closeSync(file);
  }
}
