import { cannot } from "./cannot.js";
import type { LaunchCommand } from "./launch-command.js";
import type { LaunchPlan } from "./plan.js";
import type { Runtime } from "./runtime.js";

export function dockerCommand(_plan: LaunchPlan, _runtime: Runtime): LaunchCommand {
  throw cannot("docker", "is not there yet", { hint: "use bwrap" });
}
