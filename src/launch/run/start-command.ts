import { type ChildProcess, spawn } from "node:child_process";
import { StageError } from "../../errors.js";
import { uniqueWord } from "../../host/unique-word.js";
import type { LaunchCommand } from "../launch-command.js";
import type { Runtime } from "../runtime.js";
import { BwrapStatus } from "./bwrap-status.js";
import { sendSignal } from "./deliver-signals.js";
import { EngineGuard } from "./engine-guard.js";
import { openContents } from "./fd-files.js";
import { guardName, guardProcess } from "./guard.js";

/** A command under way. */
export interface Started {
  /** The runtime's first process. */
  readonly child: ChildProcess;
  /** PID of what signals are for; undefined as long as there is none. */
  readonly commandPid: () => number | undefined;
  /** The command's exit status, where a runtime tells it apart from its own. */
  readonly exitCode: () => Promise<number | undefined>;
  /** Ends all at once, as far as that goes: what it leaves ends with {@link close}. */
  readonly kill: () => void;
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
  return startGuarded(command, options);
}

function startBwrap(command: LaunchCommand, options: StartOptions): Started {
  const statusFd = Math.max(2, ...command.fds.map(({ fd }) => fd)) + 1;
  const [program, ...words] = command.argv;
  const argv = [program, "--json-status-fd", String(statusFd), ...words] as const;
  // While it sets up, bwrap does not see yet that this process is gone: --die-with-parent sets in
  // late. All of its processes bear the name that it is started by.
  const argv0 = `bwrap:${uniqueWord()}`;
  const guard = guardName(argv0);
  const child = spawnCommand({ ...command, argv }, { ...options, statusFd, argv0 });
  const status = new BwrapStatus(child.stdio[statusFd]);
  return {
    child,
    commandPid: () => status.commandPid,
    exitCode: () => status.exitCode(),
    kill: () => child.kill("SIGKILL"),
    close: async () => guard.dismiss(),
  };
}

function startEngine(command: LaunchCommand, options: StartOptions): Started {
  const guard = new EngineGuard(options.runtime.program, command.env);
  const child = spawnCommand(guard.watched(command), options);
  if (child.pid !== undefined) guard.watch(child.pid);
  return {
    ...withoutReport(child),
    close: async () => {
      if (child.signalCode !== null) await guard.kill();
      guard.dismiss();
    },
  };
}

function startGuarded(command: LaunchCommand, options: StartOptions): Started {
  const child = spawnCommand(command, options);
  const group = !options.terminal;
  const guard = child.pid === undefined ? undefined : guardProcess(child.pid, { group });
  return {
    ...withoutReport(child),
    // Whatever it has started goes too, unless that has left its process group.
    kill: () => (child.pid ? sendSignal(group ? -child.pid : child.pid, "SIGKILL") : undefined),
    close: async () => guard?.dismiss(),
  };
}

function withoutReport(child: ChildProcess): Omit<Started, "close"> {
  return {
    child,
    commandPid: () => child.pid,
    exitCode: async () => undefined,
    kill: () => child.kill("SIGKILL"),
  };
}

function spawnCommand(
  { argv, env, fds }: LaunchCommand,
  {
    terminal,
    statusFd,
    argv0,
  }: StartOptions & { readonly statusFd?: number; readonly argv0?: string },
): ChildProcess {
  const [program, ...words] = argv;
  const contents = openContents(fds);
  const stdio: ("inherit" | "pipe" | number | undefined)[] = [...contents.stdio];
  stdio.splice(0, 3, "inherit", "inherit", "inherit");
  if (statusFd !== undefined) stdio[statusFd] = "pipe";
  try {
    // In a session of its own a signal from the terminal reaches the command once, through us, and
    // not the runtime, which would die of it and take the command along.
    return spawn(program, words, { env, stdio, detached: !terminal, argv0 });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StageError("SANDBOX", `cannot start ${program}: ${reason}`, { cause });
  } finally {
    contents.close();
  }
}
