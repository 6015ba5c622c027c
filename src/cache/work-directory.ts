import { chmodSync, chownSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { errnoOf, fromSystemError } from "../errors.js";
import { livenessOf, parseIdentity } from "../host/process-identity.js";
import type { CacheLayout } from "./layout.js";
import { ownedName } from "./locks/owned-name.js";

/** How long a directory stays whose process can't be looked for, in milliseconds: a day. */
const unknownLifetime = 24 * 60 * 60 * 1000;

/**
 * Makes a directory for work under way, private and named after this process, so that others can
 * tell whether it is still wanted.
 */
export function makeWorkDirectory(layout: CacheLayout): string {
  const path = asidePlace(layout);
  try {
    mkdirSync(path, { mode: 0o700 });
    // In a directory whose group is inherited (setgid), this and all below would inherit it.
    chownSync(path, process.geteuid?.() ?? 0, process.getegid?.() ?? 0);
    chmodSync(path, 0o700);
  } catch (error) {
    throw fromSystemError(error, `write ${path}`);
  }
  return path;
}

/** Where this process may move what it removes then; whoever sweeps sees whose it is. */
export function asidePlace(layout: CacheLayout): string {
  return join(layout.tmp, ownedName());
}

/** Whether the process that works, or worked, in a directory of that name is gone. */
export function isAbandoned(layout: CacheLayout, name: string): boolean {
  const identity = parseIdentity(name.slice(0, name.lastIndexOf(",")));
  const liveness = identity ? livenessOf(identity) : "unknown";
  if (liveness !== "unknown") return liveness === "dead";
  try {
    return statSync(join(layout.tmp, name)).mtimeMs < Date.now() - unknownLifetime;
  } catch (error) {
    // Somebody else has removed it just now.
    if (errnoOf(error) === "ENOENT") return false;
    throw error;
  }
}
