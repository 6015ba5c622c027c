/** Where an entry would come from again. */
export type Origin =
  /** A file or directory of this machine that is still there. */
  | "local"
  | "registry"
  /** Standard input, or a file that is gone. */
  | "unknown";

/** Bytes of a rootfs that come back in a second. The ratios matter, not the figures. */
const rate: Readonly<Record<Origin, number>> = {
  local: 400e6,
  registry: 50e6,
  // Somebody has to look for it first.
  unknown: 5e6,
};

/** What getting anything back takes, in seconds. */
const start = 0.5;

export interface RankInputs {
  /** How long nobody has used the entry, in milliseconds. */
  readonly idle: number;
  /**
   * What the entry takes, in bytes: what is its own, and of each layer as much as is left when all
   * entries that need it share it evenly.
   */
  readonly share: number;
  readonly origin: Origin;
}

/**
 * Which of several entries had better go: the one that ranks highest. It is
 *
 *     idle × share ÷ (0.5 s + share ÷ rate)
 *
 * the idle time, weighed by how much goes for each second that it would take to get back (as in
 * GreedyDual-Size, with the time in place of its ageing). So among large entries of one origin the
 * least recently used one goes first; one from a registry counts as idle for an eighth of the time
 * of one from a local archive, and one that nobody knows where to get from for an eightieth; and an
 * entry that shares nearly all it has stays, for that it goes would give little.
 */
export function gcRank({ idle, share, origin }: RankInputs): number {
  return (Math.max(0, idle) * share) / (start + share / rate[origin]);
}
