import { believableLease } from "../cache/leases/believable-lease.js";
import { dropDeadLeases } from "../cache/leases/drop-dead-leases.js";
import { describeLease, type Lease } from "../cache/leases/lease-name.js";
import { noteUse, takeLease } from "../cache/leases/leases.js";
import { errnoOf, fromSystemError, StageError } from "../errors.js";
import type { Warning } from "../extract/layer-record.js";
import { lstatIfAny } from "../host/lstat-if-any.js";
import type { StageRequest } from "./request.js";

/** A lease on an entry, or why there is none. */
export interface EntryLease {
  /** As results show it; null where none is held. */
  readonly lease: string | null;
  readonly warnings: readonly Warning[];
}

/** How many of those who take a lease remove dead ones. It takes some ms, which few should pay. */
const tidyingShare = 1 / 64;

const none: EntryLease = { lease: null, warnings: [] };

/**
 * Takes the lease that was asked for. Where it can't be taken (the cache is read-only, belongs to
 * somebody else, or its disk is full) the entry serves all the same, and there is a warning. After
 * this, and not before, read the entry.
 * @returns undefined where there is no entry to protect
 */
export function leaseEntry(request: StageRequest, key: string): EntryLease | undefined {
  const { layout } = request;
  const wanted = leaseToTake(request);
  try {
    if (!wanted) noteUse(layout, key);
    else {
      const outcome = takeLease(layout, key, wanted);
      if (outcome === "missing") return undefined;
      if (outcome === "taken" && Math.random() < tidyingShare) dropDeadLeases(layout, key);
    }
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return wanted ? { lease: null, warnings: [notTaken(error)] } : none;
  }
  return wanted ? { lease: describeLease(wanted), warnings: [] } : none;
}

function leaseToTake({ layout, lease, uid }: StageRequest): Lease | undefined {
  const cacheOwner = lstatIfAny(layout.root)?.uid ?? uid;
  return lease && believableLease(lease(), { uid, cacheOwner, now: Date.now() });
}

function notTaken(error: unknown): Warning {
  const doing = "take a lease on the entry";
  const known = fromSystemError(error, doing);
  const reason = known instanceof StageError ? known.message : `cannot ${doing}: ${String(error)}`;
  const message = `${reason}; it may be removed while it is in use`;
  return { code: "LEASE_NOT_TAKEN", message, count: 1, examples: [] };
}
