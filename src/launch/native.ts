import { cannot } from "./cannot.js";
import type { LaunchCommand } from "./launch-command.js";
import type { LaunchPlan } from "./plan.js";
import type { Runtime } from "./runtime.js";

export function nativeCommand(_plan: LaunchPlan, _runtime: Runtime): LaunchCommand {
  throw cannot("native", "is not there yet", { hint: "use bwrap" });
}
