import { threadId } from "node:worker_threads";
import { type ErrorReport, StageError } from "../errors.js";
import { now } from "../host/clock.js";
import { WorkStopped } from "../host/work-stopped.js";

/**
 * A result that survives the way between threads, where errors lose their class. `"stopped"` is
 * the outcome of work that was given up because other work failed.
 */
export type Outcome<Value> = WorkTime &
  (
    | { readonly ok: true; readonly value: Value }
    | { readonly ok: false; readonly error: ErrorReport | "stopped" }
  );

/** When the work was done, in ms by the clock of `now()`, and by which thread. */
export interface WorkTime {
  readonly start: number;
  readonly end: number;
  readonly thread: number;
}

/** Does the work. Only errors that nobody foresaw are thrown. */
export async function outcomeOf<Value>(
  work: () => Value | Promise<Value>,
): Promise<Outcome<Value>> {
  const start = now();
  const time = () => ({ start, end: now(), thread: threadId });
  try {
    const value = await work();
    return { ok: true, value, ...time() };
  } catch (error) {
    if (error instanceof WorkStopped) return { ok: false, error: "stopped", ...time() };
    if (error instanceof StageError) return { ok: false, error: error.toReport(), ...time() };
    throw error;
  }
}

/** @throws StageError the error that the work ended with; WorkStopped */
export function resultOf<Value>(outcome: Outcome<Value>): Value {
  if (outcome.ok) return outcome.value;
  if (outcome.error === "stopped") throw new WorkStopped("the work was given up");
  throw StageError.fromReport(outcome.error);
}
