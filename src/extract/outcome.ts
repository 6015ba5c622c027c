import { type ErrorReport, StageError } from "../errors.js";
import { RingStopped } from "../host/block-ring.js";

/**
 * A result that survives the way between threads, where errors lose their class. `"stopped"` is
 * the outcome of work that was given up because other work failed.
 */
export type Outcome<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly error: ErrorReport | "stopped" };

/** Does the work. Only errors that nobody foresaw are thrown. */
export async function outcomeOf<Value>(
  work: () => Value | Promise<Value>,
): Promise<Outcome<Value>> {
  try {
    return { ok: true, value: await work() };
  } catch (error) {
    if (error instanceof RingStopped) return { ok: false, error: "stopped" };
    if (error instanceof StageError) return { ok: false, error: error.toReport() };
    throw error;
  }
}

/** @throws StageError the error that the work ended with; RingStopped */
export function resultOf<Value>(outcome: Outcome<Value>): Value {
  if (outcome.ok) return outcome.value;
  if (outcome.error === "stopped") throw new RingStopped("the work was given up");
  throw StageError.fromReport(outcome.error);
}
