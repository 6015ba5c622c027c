import { isIntact } from "./durability-mark.js";
import { isOwners } from "./trust.js";

/**
 * Whether the directory of a published layer or entry is what it was when it was published: the
 * cache's owner has made it, and power loss can't have harmed it.
 */
export function isBelieved(directory: string): boolean {
  return isOwners(directory) && isIntact(directory);
}
