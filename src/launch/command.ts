import type { LaunchCommand } from "./launch-command.js";
import type { LaunchPlan } from "./plan.js";
import type { Runtime, RuntimeName } from "./runtime.js";
import { apptainerCommand } from "./runtimes/apptainer.js";
import { bwrapCommand } from "./runtimes/bwrap.js";
import { dockerCommand } from "./runtimes/docker.js";
import { nativeCommand } from "./runtimes/native.js";
import { podmanCommand } from "./runtimes/podman.js";

const commandOf: Readonly<
  Record<RuntimeName, (plan: LaunchPlan, runtime: Runtime) => LaunchCommand>
> = {
  bwrap: bwrapCommand,
  apptainer: apptainerCommand,
  podman: podmanCommand,
  docker: dockerCommand,
  native: nativeCommand,
};

/**
 * The command line by which a runtime starts what was planned: what `command` prints and what `run`
 * starts. Pure.
 * @throws StageError SANDBOX where the runtime can't do what the plan asks for, with the reason
 */
export function toCommand(plan: LaunchPlan, runtime: Runtime): LaunchCommand {
  return commandOf[runtime.name](plan, runtime);
}
