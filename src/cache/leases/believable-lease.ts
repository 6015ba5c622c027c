import { processOwner } from "../../host/process-owner.js";
import type { Lease } from "./lease-name.js";

const hour = 60 * 60 * 1000;

/**
 * For how long a lease counts of a user whom nothing obliges to tell the truth, in milliseconds
 * after it was taken: so nobody fills a disk that belongs to all for ever.
 */
export const longestBelief: Readonly<Record<Lease["kind"], number>> = {
  job: 30 * 24 * hour,
  process: 24 * hour,
  until: 24 * hour,
};

export interface LeaseTaker {
  /** The user who takes the lease. */
  readonly uid: number;
  /** The user whose cache it is. */
  readonly cacheOwner: number;
  /** In milliseconds since 1970. */
  readonly now: number;
}

/**
 * The lease to take instead of one that would not be believed, so that nobody relies on what does
 * not hold. A time ends when belief in it does. Whether a process of another user lives (root's,
 * that has called this one through sudo, say) is nothing that a user's word is taken for: a time
 * takes its place, which is the same for all that ask within an hour.
 */
export function believableLease(lease: Lease, { uid, cacheOwner, now }: LeaseTaker): Lease {
  if (isTrustedTaker(uid, cacheOwner)) return lease;
  const latest = now + longestBelief.until;
  if (lease.kind === "until") return { ...lease, time: Math.min(lease.time, latest) };
  if (lease.kind === "job" || processOwner(lease.identity.pid) === uid) return lease;
  return { kind: "until", time: Math.floor(latest / hour) * hour, word: `user-${uid}` };
}

/** Whether a user's leases are believed as they are: the cache is theirs, or they are root. */
export function isTrustedTaker(uid: number, cacheOwner: number): boolean {
  return uid === cacheOwner || uid === 0;
}
