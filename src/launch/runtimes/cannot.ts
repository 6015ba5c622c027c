import { StageError } from "../../errors.js";
import type { Trouble } from "../choice/runtime-answer.js";
import type { RuntimeName } from "../runtime.js";

/** A runtime lacks what a plan asks for; `hint` says what to do instead. */
export function cannot(runtime: RuntimeName, what: string, { hint }: { hint: string }): StageError {
  return new StageError("SANDBOX", `${runtime} ${what}`, { hint });
}

/** What such an error says. @throws any other error */
export function troubleOf(name: RuntimeName, error: unknown): Trouble {
  if (!(error instanceof StageError) || error.code !== "SANDBOX") throw error;
  const { message, hint = "choose another runtime with --runtime" } = error;
  return {
    reason: message.startsWith(`${name} `) ? message.slice(name.length + 1) : message,
    remedy: hint,
  };
}
