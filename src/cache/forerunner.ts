import { errnoOf } from "../errors.js";
import { livenessOf, type ProcessIdentity } from "../host/process-identity.js";
import { dissolveLock, lockOwner, newOwner, removeDeadLock, takeLock } from "./lock-directory.js";

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

/**
 * Finds this process's place; it goes ahead when no living process does.
 * @param path of the lock that the forerunner holds, as long as it lives
 * @throws errors of the file system
 */
export function findPlace(path: string): Place {
  for (;;) {
    const forerunner = lockOwner(path);
    const liveness = forerunner ? livenessOf(forerunner) : "dead";
    if (liveness === "unknown") return { kind: "unknown" };
    if (forerunner && liveness === "alive") return { kind: "behind", forerunner };
    if (forerunner) removeDeadLock(path);
    const own = newOwner();
    try {
      takeLock(path, own);
      return { kind: "ahead", stepAside: () => stepAside(path, own) };
    } catch (error) {
      // Somebody was faster; the next look shows who.
      if (errnoOf(error) !== "EEXIST") throw error;
    }
  }
}

function stepAside(path: string, own: string): void {
  try {
    dissolveLock(path, own);
  } catch {
    // Of a process that is gone, the next one removes it.
  }
}
