import {
  type Liveness,
  livenessOf,
  ownIdentity,
  type ProcessIdentity,
} from "../../host/process-identity.js";
import { processOwner } from "../../host/process-owner.js";
import type { CacheLayout } from "../layout.js";
import { longestBelief } from "./believable-lease.js";
import { type Lease, shortHost } from "./lease-name.js";
import { type FoundLease, leasesOn } from "./leases.js";

export interface LeaseMoment {
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** Whether a lease still holds. `unknown`, as jobs are that only Slurm knows of, counts as alive. */
export function isAlive(lease: Lease, { now }: LeaseMoment): Liveness {
  switch (lease.kind) {
    case "job":
      return "unknown";
    case "process":
      return livenessOf(onThisHost(lease.identity));
    case "until":
      return now < lease.time ? "alive" : "dead";
  }
}

/** A long name of this host stands shortened in leases. */
function onThisHost(identity: ProcessIdentity): ProcessIdentity {
  const { host } = ownIdentity();
  return identity.host === shortHost(host) ? { ...identity, host } : identity;
}

/** The leases that protect an entry at this moment. */
export function livingLeases(
  layout: CacheLayout,
  key: string,
  at: LeaseMoment,
): readonly FoundLease[] {
  return leasesOn(layout, key).filter((found) => isProtecting(found, at));
}

/** Whether a lease protects its entry: it is alive as far as is known, and is to be believed. */
export function isProtecting(found: FoundLease, at: LeaseMoment): boolean {
  const { lease, takenAt, owner, isTrusted } = found;
  const liveness = isAlive(lease, at);
  if (liveness === "dead") return false;
  if (isTrusted) return true;
  if (lease.kind === "process" && liveness === "alive") {
    return processOwner(lease.identity.pid) === owner;
  }
  return at.now < takenAt + longestBelief[lease.kind];
}
