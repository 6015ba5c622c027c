import { isOwners } from "../place/trust.js";
import { isIntact } from "./durability-mark.js";

/**
 * Whether the directory of a published layer or entry is what it was when it was published: the
 * cache's owner has made it, and power loss can't have harmed it.
 */
export function isBelieved(directory: string): boolean {
  return isOwners(directory) && isIntact(directory);
}
