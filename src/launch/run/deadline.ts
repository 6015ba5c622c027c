/** The longest that a timer of Node's takes, in milliseconds. */
const longest = 2 ** 31 - 1;

/**
 * Calls `act` after so many milliseconds, be it years.
 * @returns what calls it off
 */
export function callAfter(ms: number, act: () => void): () => void {
  let timer: NodeJS.Timeout;
  const wait = (left: number) => {
    timer = setTimeout(
      () => (left > longest ? wait(left - longest) : act()),
      Math.min(left, longest),
    );
  };
  wait(ms);
  return () => clearTimeout(timer);
}
