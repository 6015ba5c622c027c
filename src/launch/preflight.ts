import type { LaunchCommand } from "./launch-command.js";
import type { LaunchPlan } from "./plan.js";
import type { Runtime } from "./runtime.js";

/**
 * Looks whether what was planned can be started, so that no runtime has to say it in its own way.
 * @throws StageError SANDBOX
 */
export function preflight(
  _plan: LaunchPlan,
  _options: { readonly command: LaunchCommand; readonly runtime: Runtime },
): void {
  // See launch-from-line.
}
