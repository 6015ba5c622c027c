import { StageError } from "../../errors.js";

/** What a timer can hold, in milliseconds: 24 days. */
const longest = 2 ** 31 - 1;

/**
 * Does work that may take only so long.
 * @param what is waited for, for the message
 * @param options.ms how long, in milliseconds
 * @param options.signal stops it too
 * @throws StageError REGISTRY when the time is over; what `signal` was aborted with
 */
export async function withinTime<Value>(
  what: string,
  options: {
    ms: number;
    signal: AbortSignal | undefined;
    work: (signal: AbortSignal) => Promise<Value>;
  },
): Promise<Value> {
  const { signal, work } = options;
  const ms = Math.min(options.ms, longest);
  const time = AbortSignal.timeout(ms);
  try {
    return await work(signal ? AbortSignal.any([signal, time]) : time);
  } catch (error) {
    signal?.throwIfAborted();
    if (!time.aborted) throw error;
    const seconds = Math.round(ms / 1000);
    throw new StageError("REGISTRY", `${what} did not come within ${seconds} s`, {
      hint: "the registry or the network is too slow: try again later",
      cause: error,
    });
  }
}
