import { StageError } from "../errors.js";
import { printable } from "../host/byte-string.js";
import type { LaunchCommand } from "./launch-command.js";
import type { BindMount } from "./mount.js";
import type { LaunchPlan } from "./plan.js";
import { type ArgumentLimits, argumentFaults, ownLimits } from "./preflight/argument-faults.js";
import { type CommandLook, commandFault } from "./preflight/command-faults.js";
import { errorCodeOf, type LaunchFault } from "./preflight/fault.js";
import { type Host, thisHost } from "./preflight/host.js";
import { mountFaults, sourceFault } from "./preflight/mount-faults.js";
import { SandboxView } from "./preflight/sandbox-view.js";
import { submountFaults } from "./preflight/submount-faults.js";
import type { Runtime } from "./runtime.js";

/** What is to be started, and by what. */
export interface PreflightOptions {
  readonly command: LaunchCommand;
  readonly runtime: Runtime;
}

/**
 * Looks whether what was planned can be started, so that no runtime has to say it in its own way.
 * @throws StageError SANDBOX, COMMAND_NOT_FOUND, COMMAND_NOT_EXECUTABLE, TOO_LONG: the first of all
 * that is wrong, with the others in its `findings`
 */
export function preflight(plan: LaunchPlan, options: PreflightOptions): void {
  refuse(findFaults(plan, { ...options, host: thisHost, limitsOf: ownLimits }));
}

/**
 * Looks at what is to be mounted alone, which can be done before anything is staged.
 * @throws StageError SANDBOX, with all that was found in its `findings`
 */
export function checkSources(sources: readonly Pick<BindMount, "source" | "access">[]): void {
  refuse(sources.flatMap((each) => sourceFault(each, thisHost) ?? []));
}

function refuse(faults: readonly LaunchFault[]): void {
  const [first, ...others] = faults;
  if (!first) return;
  const more = others.length === 0 ? "" : ` (and ${others.length} more)`;
  const { hint } = first;
  throw new StageError(errorCodeOf(first), first.message + more, { hint, findings: faults });
}

/** All that keeps a plan from being started: what is mounted, where it starts, and what. */
export function findFaults(
  plan: LaunchPlan,
  options: PreflightOptions & { host: Host; limitsOf: () => ArgumentLimits },
): readonly LaunchFault[] {
  const { command, runtime, host, limitsOf } = options;
  const inside = { argv: plan.argv, env: plan.env };
  // The runtime's own command line holds all of it that it is not given in other ways.
  const long = argumentFaults(command, limitsOf);
  const lengths = long.length > 0 ? long : argumentFaults(inside, limitsOf);
  if (runtime.name === "native") return [...nativeFaults(plan, { command, host }), ...lengths];
  const mounts = [...plan.mounts, ...(plan.gpu?.mounts ?? []), ...plan.nameService];
  const view = new SandboxView({ root: plan.rootfs, mounts, host });
  const { workingDir, argv, env, gpu } = plan;
  const path = [env["PATH"], ...(gpu?.programPath ?? [])].filter((each) => each !== undefined);
  const [name] = argv;
  const look = { workingDir, whose: "the sandbox", view, host } as const;
  const missing = commandFault({ ...look, name, path: path.join(":") });
  return [
    ...mountFaults(mounts, { root: plan.rootfs, host }),
    ...(runtime.name === "apptainer" ? submountFaults(mounts, host) : []),
    ...workingDirectoryFaults(look),
    ...(missing ? [missing] : []),
    ...lengths,
  ];
}

/** Without a sandbox, the host is what the command sees, and PATH is what it is started with. */
function nativeFaults(
  { argv: [name], workingDir: planned, asked }: LaunchPlan,
  { command, host }: { command: LaunchCommand; host: Host },
): readonly LaunchFault[] {
  const view = new SandboxView({ root: "/", mounts: [], host });
  const workingDir = asked?.workingDir ? planned : process.cwd();
  const look = { workingDir, whose: "this host", view, host } as const;
  const missing = commandFault({ ...look, name, path: command.env["PATH"] });
  const place = asked?.workingDir ? workingDirectoryFaults(look) : [];
  return [...place, ...(missing ? [missing] : [])];
}

function workingDirectoryFaults({
  workingDir,
  whose,
  view,
}: Pick<CommandLook, "workingDir" | "whose" | "view">): readonly LaunchFault[] {
  const { kind } = view.find(workingDir);
  const what = `the working directory ${printable(workingDir)}`;
  if (kind === "missing") {
    const where = whose === "this host" ? "on" : "in";
    const hint = "choose one with --chdir, or mount something there with --bind";
    return [
      { code: "WORKING_DIRECTORY_MISSING", message: `${what} is not ${where} ${whose}`, hint },
    ];
  }
  if (kind !== "file") return [];
  const hint = "choose a directory with --chdir";
  return [{ code: "WORKING_DIRECTORY_KIND", message: `${what} is a file`, hint }];
}
