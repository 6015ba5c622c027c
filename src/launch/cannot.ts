import { StageError } from "../errors.js";
import type { RuntimeName } from "./runtime.js";

/** A runtime lacks what a plan asks for; `hint` says what to do instead. */
export function cannot(runtime: RuntimeName, what: string, { hint }: { hint: string }): StageError {
  return new StageError("SANDBOX", `${runtime} ${what}`, { hint });
}
