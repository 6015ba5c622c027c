import { StageError } from "../../errors.js";
import { printable } from "../../host/byte-string.js";
import type { LaunchCommand } from "../launch-command.js";
import type { LaunchPlan } from "../plan.js";
import type { Runtime } from "../runtime.js";
import { apptainerEnvironment } from "./apptainer-environment.js";
import { type FlagsOptions, instanceFlags, sandboxFlags } from "./apptainer-flags.js";
import { cannot } from "./cannot.js";

/**
 * A plan as an `apptainer exec`, of options that Apptainer has had since 1.1. The environment of the
 * command is in that of apptainer, each variable under a name of its own, so that no value is split
 * or evaluated.
 * @throws StageError SANDBOX
 */
export function apptainerCommand(plan: LaunchPlan, runtime: Runtime): LaunchCommand {
  return action("exec", { plan, runtime, words: plan.argv });
}

/**
 * A plan as an `apptainer run`: Entrypoint and Cmd as the image states them, or `args` in place of
 * Cmd; what the plan says of a command is left out.
 * @throws StageError SANDBOX
 */
export function apptainerRun(
  plan: LaunchPlan,
  { runtime, args = [] }: { readonly runtime: Runtime; readonly args?: readonly string[] },
): LaunchCommand {
  requireFiles(plan);
  return action("run", { plan, runtime, words: args });
}

/**
 * A plan as an `apptainer shell`: bash where the image has it, else sh.
 * @throws StageError SANDBOX
 */
export function apptainerShell(
  plan: LaunchPlan,
  { runtime }: { readonly runtime: Runtime },
): LaunchCommand {
  requireFiles(plan);
  return action("shell", { plan, runtime, words: [] });
}

export interface InstanceOptions {
  readonly runtime: Runtime;
  /** By which the instance is known: letters, digits, `.`, `_` and `-`. */
  readonly name: string;
  /** Where Apptainer keeps what it knows of instances; default: `~/.apptainer`. */
  readonly configDirectory?: string | undefined;
}

/** The commands for a sandbox that stays, for one command after another. */
export interface ApptainerInstance {
  /** Ends when the instance is there. */
  readonly start: LaunchCommand;
  /** Runs the plan's command in it, with the plan's environment. */
  readonly exec: LaunchCommand;
  /** Fails where there is no such instance. */
  readonly stop: LaunchCommand;
}

/**
 * A plan as an instance of Apptainer's, which lives until it is stopped, or the machine or the job
 * ends.
 * @throws StageError SANDBOX; USAGE for a name that is none
 */
export function apptainerInstance(plan: LaunchPlan, options: InstanceOptions): ApptainerInstance {
  requireFiles(plan);
  const { runtime, configDirectory } = options;
  const name = checkInstanceName(options.name);
  const { program } = runtime;
  const own = configDirectory === undefined ? {} : { APPTAINER_CONFIGDIR: configDirectory };
  const env = { ...apptainerEnvironment(plan), ...own };
  const quiet = [program, "--quiet"] as const;
  const flags = sandboxFlags(plan, { runtime, hasWorkingDir: false });
  return {
    start: { argv: [...quiet, "instance", "start", ...flags, plan.rootfs, name], env, fds: [] },
    exec: {
      argv: [...quiet, "exec", ...instanceFlags(plan), `instance://${name}`, ...plan.argv],
      env,
      fds: [],
    },
    stop: {
      argv: [...quiet, "instance", "stop", name],
      env: { ...pathOnly(env), ...own },
      fds: [],
    },
  };
}

/** @throws StageError USAGE */
export function checkInstanceName(name: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name)) return name;
  throw new StageError("USAGE", `"${printable(name)}" is no name for an instance`, {
    hint: "letters, digits, dots, hyphens and underscores, 64 at the most",
  });
}

function action(
  verb: "exec" | "run" | "shell",
  { plan, runtime, words }: FlagsOptions & { plan: LaunchPlan; words: readonly string[] },
): LaunchCommand {
  const flags = sandboxFlags(plan, { runtime, hasWorkingDir: true });
  const env = apptainerEnvironment(plan);
  checkSize(words, env);
  return {
    argv: [runtime.program, "--quiet", verb, ...flags, plan.rootfs, ...words],
    env,
    fds: [],
    ...(plan.terminal ? { warnings: [sharedTerminal] } : {}),
  };
}

/** It hands them on to its starter as JSON of 1 MiB at the most, with some more of its own. */
const mostConfiguration = 1_000_000;

function checkSize(...parts: readonly unknown[]): void {
  const size = Buffer.byteLength(JSON.stringify(parts));
  if (size <= mostConfiguration) return;
  throw cannot("apptainer", `takes a megabyte of words and variables, and here are ${size} bytes`, {
    hint: "have the command read them from a file, or use --bwrap or --podman",
  });
}

const sharedTerminal =
  "with Apptainer the command can type into your terminal, unless the kernel forbids it (dev.tty.legacy_tiocsti = 0); bwrap and podman keep it from that";

function requireFiles({ singularity }: LaunchPlan): void {
  if (singularity !== null) return;
  throw cannot("apptainer", "can only exec in this rootfs, which lacks what it needs to know", {
    hint: "have the cache's owner stage the image again",
  });
}

function pathOnly({ PATH = "" }: Readonly<Record<string, string>>): { readonly PATH: string } {
  return { PATH };
}
