/** How often a request is tried at most. */
export const attemptLimit = 5;

/** The pause after the first failure, in milliseconds; each further one may be twice as long. */
const firstPause = 250;

/** No server makes us wait longer than this, in milliseconds; it is better to say so. */
export const longestPause = 60_000;

const worthRetrying: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);

/** Whether another try may bring another answer. */
export function isPassing(status: number): boolean {
  return worthRetrying.has(status);
}

/**
 * How long to wait before the next try, in milliseconds: a random part of a time that doubles, so
 * that thousands of nodes don't come back all at once; and no less than the server asks for.
 * @param failures how many tries have failed, from 1
 * @param options.random from 0 to 1
 * @returns undefined where the server asks for more than {@link longestPause}
 */
export function pauseAfterFailure(
  failures: number,
  options: { retryAfter: number | undefined; random: number },
): number | undefined {
  const { retryAfter = 0, random } = options;
  if (retryAfter > longestPause) return undefined;
  const most = firstPause * 2 ** (failures - 1);
  return retryAfter + most * (0.5 + random / 2);
}

/**
 * What a Retry-After header asks for, in milliseconds (RFC 9110, 10.2.3); undefined for what is none.
 * @param now the time, in milliseconds since 1970
 */
export function parseRetryAfter(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d{1,9}$/.test(header.trim())) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
