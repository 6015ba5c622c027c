import { errnoOf } from "../../errors.js";
import {
  formatIdentity,
  livenessOf,
  ownIdentity,
  type ProcessIdentity,
} from "../../host/process-identity.js";
import { dissolveLock, lockOwner, removeDeadLock, takeLock } from "./lock-directory.js";
import { ownedName } from "./owned-name.js";

/**
 * Where many processes want the same thing at once, one goes ahead and the others watch it. This
 * saves them the preparation for work that they won't have to do; nothing depends on it for
 * correctness, for whoever does the work takes the locks that belong to it.
 */
export type Place =
  | { readonly kind: "ahead"; readonly stepAside: () => void }
  | { readonly kind: "behind"; readonly forerunner: ProcessIdentity }
  /** The forerunner can't be watched from here: it is on another host, or in another container. */
  | { readonly kind: "unknown" };

export interface PlaceOptions {
  /** Whether to go ahead where nobody does, and nobody has died doing so. */
  readonly goAhead: boolean;
}

/**
 * Finds this process's place; it goes ahead when the process that did is dead.
 * @param path of the lock that the forerunner holds, as long as it lives
 * @returns undefined where nobody goes ahead, not even this process
 * @throws errors of the file system
 */
export function findPlace(path: string, { goAhead }: PlaceOptions): Place | undefined {
  for (;;) {
    const forerunner = lockOwner(path);
    if (!forerunner && !goAhead) return undefined;
    const liveness = forerunner ? livenessOf(forerunner) : "dead";
    if (liveness === "unknown") return { kind: "unknown" };
    if (forerunner && liveness === "alive") return { kind: "behind", forerunner };
    if (forerunner) removeDeadLock(path);
    const own = ownedName();
    try {
      takeLock(path, own);
      return { kind: "ahead", stepAside: () => stepAside(path, own) };
    } catch (error) {
      // Somebody was faster; the next look shows who.
      if (errnoOf(error) !== "EEXIST") throw error;
    }
  }
}

/** Whether this process goes ahead. */
export function isForerunner(path: string): boolean {
  const forerunner = lockOwner(path);
  return forerunner !== undefined && formatIdentity(forerunner) === formatIdentity(ownIdentity());
}

function stepAside(path: string, own: string): void {
  try {
    dissolveLock(path, own);
  } catch {
    // Of a process that is gone, the next one removes it.
  }
}
