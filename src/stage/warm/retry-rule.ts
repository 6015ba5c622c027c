import type { ErrorCode, StageError } from "../../errors.js";

/** What may go by itself: a registry that fails, another process's staging, a limit of the system. */
const passing: ReadonlySet<ErrorCode> = new Set(["REGISTRY", "BUSY"]);

/** The pause before the second try, in milliseconds; each further one is twice as long. */
const firstPause = 2000;
const longestPause = 60_000;

/** Whether another try may end otherwise. */
export function isWorthRetrying({ code }: Pick<StageError, "code">): boolean {
  return passing.has(code);
}

/**
 * How long to wait before the images that failed are tried again, in milliseconds. A random part of
 * it keeps thousands of nodes from coming back all at once.
 * @param failures how many tries there were, from 1
 * @param options.random from 0 to 1
 */
export function pauseBeforeRetry(failures: number, { random }: { random: number }): number {
  return Math.min(longestPause, firstPause * 2 ** (failures - 1)) * (0.5 + random / 2);
}
