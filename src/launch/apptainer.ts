import { cannot } from "./cannot.js";
import type { LaunchCommand } from "./launch-command.js";
import type { LaunchPlan } from "./plan.js";
import type { Runtime } from "./runtime.js";

export function apptainerCommand(_plan: LaunchPlan, _runtime: Runtime): LaunchCommand {
  throw cannot("apptainer", "is not there yet", { hint: "use bwrap" });
}
