import { lstatIfAny } from "./lstat-if-any.js";

/**
 * The user that a process of this machine runs as: root for one that may not be looked into, as
 * after a change of its user. Undefined where there is none to be seen.
 */
export function processOwner(pid: number): number | undefined {
  return lstatIfAny(`/proc/${pid}`)?.uid;
}
