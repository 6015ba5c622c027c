const pauses = [10, 20, 50, 100, 200];

/**
 * How long to wait, in milliseconds, before another look at a lock that is held.
 * @param round how many looks there were before the last one
 */
export function pauseAfter(round: number): number {
  return pauses[Math.min(round, pauses.length - 1)] ?? 0;
}

/** How often those who wait are told of it, in milliseconds. */
export const callInterval = 1000;
