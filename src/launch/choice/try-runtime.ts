import { StageError } from "../../errors.js";
import { printable } from "../../host/byte-string.js";
import { removeTree } from "../../host/remove-tree.js";
import { temporaryDirectory } from "../../host/temporary-directory.js";
import { toCommand } from "../command.js";
import type { LaunchCommand } from "../launch-command.js";
import type { LaunchPlan } from "../plan.js";
import type { Runtime } from "../runtime.js";
import { troubleOf } from "../runtimes/cannot.js";
import { explainFailure } from "./explain-failure.js";
import { localRuntime } from "./local-runtime.js";
import { makeProbeRootfs, type ProbeRootfs, probePlan } from "./probe-rootfs.js";
import { type ProbeEnd, type ProbeOptions, runProbe } from "./run-probe.js";
import type { RuntimeAnswer, Trouble } from "./runtime-answer.js";

export interface Trial extends ProbeOptions {
  /** What is to be started: a trivial command is, in its place. */
  readonly plan: LaunchPlan;
  /** Makes an empty directory of the caller's. Default: one for temporary files. */
  readonly makeDirectory?: (() => Promise<string>) | undefined;
}

/**
 * Has a runtime start a trivial command in a sandbox like the planned one, by the same command line
 * that the plan itself would get, and looks whether that works. It reads no input, prints nothing,
 * ends in time, and leaves nothing behind.
 */
export async function tryRuntime(
  { name, program }: Pick<Runtime, "name" | "program">,
  trial: Trial,
): Promise<RuntimeAnswer> {
  const local = localRuntime(name, { program });
  const asked = await runProbe(plainCommand(local, ["--version"]), trial);
  if (asked.status !== 0) {
    return { works: false, ...explainFailure({ name, program }, asked) };
  }
  const version = /\d+\.\d+(?:\.\d+)*/.exec(asked.stdout)?.[0];
  const runtime: Runtime = { ...local, version };
  if (name === "docker") return await tryDocker(runtime, trial);
  try {
    const directory = (await trial.makeDirectory?.()) ?? temporaryDirectory();
    try {
      return { ...(await tryIn(makeProbeRootfs(directory), { runtime, trial })), version };
    } finally {
      removeTree(directory);
    }
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const message = error instanceof StageError ? error.message : printable(error.message);
    return {
      works: false,
      version,
      reason: `could not be tried: ${message}`,
      remedy: "set TMPDIR to a directory that can be written to",
    };
  }
}

/** What of a runtime is to be tried, best first. */
function variantsOf(runtime: Runtime, { root }: LaunchPlan): readonly [Runtime, ...Runtime[]] {
  if (runtime.name === "podman") {
    return [
      { ...runtime, ociRuntime: "crun" },
      { ...runtime, ociRuntime: "runc" },
    ];
  }
  return [root === "rw" && runtime.name === "bwrap" ? { ...runtime, canOverlay: true } : runtime];
}

async function tryIn(
  probe: ProbeRootfs,
  { runtime, trial }: { readonly runtime: Runtime; readonly trial: Trial },
): Promise<RuntimeAnswer> {
  const plan = probePlan(probe, trial.plan);
  const [best, ...others] = variantsOf(runtime, plan);
  const failure = await start(plan, { runtime: best, trial });
  if (!failure) return workingAnswer(best);
  for (const other of others) {
    if (!(await start(plan, { runtime: other, trial }))) return workingAnswer(other);
  }
  return failure;
}

function workingAnswer({ canOverlay, ociRuntime }: Runtime): RuntimeAnswer {
  return { works: true, canOverlay, ociRuntime };
}

/** @returns why it does not work; undefined where it does */
async function start(
  plan: LaunchPlan,
  { runtime, trial }: { readonly runtime: Runtime; readonly trial: Trial },
): Promise<(Trouble & { readonly works: false }) | undefined> {
  let command: LaunchCommand;
  try {
    command = toCommand(plan, runtime);
  } catch (error) {
    return { works: false, ...troubleOf(runtime.name, error) };
  }
  const end = await runProbe(command, trial);
  return end.status === 0 ? undefined : { works: false, ...explainFailure(runtime, end) };
}

/** Docker starts images that its engine has, and no directories: what can be tried is the engine. */
async function tryDocker(runtime: Runtime, trial: Trial): Promise<RuntimeAnswer> {
  const { version } = runtime;
  const command = plainCommand(runtime, ["version", "--format", "{{.Server.Version}}"]);
  const end: ProbeEnd = await runProbe(command, trial);
  if (end.status === 0) return { works: true, version };
  return { works: false, version, ...explainFailure(runtime, end) };
}

/** As the runtime's own commands are started, with messages in English. */
function plainCommand({ program, callerEnv }: Runtime, args: readonly string[]): LaunchCommand {
  return { argv: [program, ...args], env: { ...callerEnv, LC_ALL: "C" }, fds: [] };
}
