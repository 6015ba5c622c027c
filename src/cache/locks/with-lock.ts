import { StageError } from "../../errors.js";
import { type LockOptions, lockOrAdopt } from "./lock.js";

/** How whoever removes something waits for those who make it. */
export type RemovalWait = Pick<LockOptions<never>, "onWait" | "signal"> & {
  /** How long to wait for a living owner of the lock, in seconds. Default: 0. */
  readonly wait?: number | undefined;
};

/**
 * Does work that makes room under the lock at `path`.
 * @returns `busy` where somebody else held the lock to the end of the wait
 * @throws StageError NOT_WRITABLE, NO_SPACE, PERMISSION; what the work throws, or the signal
 */
export async function withLock<Outcome>(
  path: string,
  options: RemovalWait & { readonly work: () => Outcome },
): Promise<Outcome | "busy"> {
  const { wait = 0, onWait, signal, work } = options;
  const outcome = await lockOrAdopt(path, {
    what: path,
    makesRoom: true,
    wait,
    onWait,
    signal,
    adopt: () => undefined,
  }).catch((error: unknown) => {
    // A limit of the system that is reached is BUSY too, but has a cause.
    if (error instanceof StageError && error.code === "BUSY" && error.cause === undefined) {
      return undefined;
    }
    throw error;
  });
  if (outcome?.kind !== "locked") return "busy";
  try {
    return work();
  } finally {
    await outcome.release();
  }
}
