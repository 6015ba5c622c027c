import { engineFacts } from "../../host/engine-facts.js";
import { sandboxLimits } from "../../host/sandbox-limits.js";
import type { Runtime } from "../runtime.js";
import type { ProbeEnd } from "./run-probe.js";
import type { Trouble } from "./runtime-answer.js";
import { troubleIn } from "./troubles.js";

/** Why a runtime failed that was tried on this node, and what to do about it. */
export function explainFailure(
  { name, program }: Pick<Runtime, "name" | "program">,
  end: ProbeEnd,
): Trouble {
  return troubleIn(end, {
    name,
    program,
    limits: sandboxLimits(),
    engines: engineFacts(),
  });
}
