import { type ErrorReport, StageError } from "../../errors.js";

/** How an image of a list ended, as far as the exit status depends on it. */
export type WarmEnd =
  | { readonly state: "hit" | "staged" }
  | { readonly state: "failed" | "skipped"; readonly error: Pick<ErrorReport, "code" | "message"> };

/**
 * The exit status of warming: 0 where all images are ready, 1 where some are not, and where none is,
 * that of the first one's error. Those that the budget left out don't count.
 */
export function warmStatus(ends: readonly WarmEnd[]): number {
  const bad = ends.flatMap((end) => (isReady(end) || isBeyondBudget(end) ? [] : [end.error]));
  const [first] = bad;
  if (!first) return 0;
  if (ends.some(isReady)) return 1;
  return new StageError(first.code, first.message).exitStatus;
}

/** Whether an image can be used. */
export function isReady(end: WarmEnd): end is WarmEnd & { readonly state: "hit" | "staged" } {
  return end.state === "hit" || end.state === "staged";
}

/** Whether an image was left out because of the budget, not for lack of time. */
export function isBeyondBudget(end: WarmEnd): boolean {
  return end.state === "skipped" && end.error.code === "NO_SPACE";
}
