import { apptainerCommand } from "./apptainer.js";
import { bwrapCommand } from "./bwrap.js";
import { dockerCommand } from "./docker.js";
import type { LaunchCommand } from "./launch-command.js";
import { nativeCommand } from "./native.js";
import type { LaunchPlan } from "./plan.js";
import { podmanCommand } from "./podman.js";
import type { Runtime, RuntimeName } from "./runtime.js";

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
