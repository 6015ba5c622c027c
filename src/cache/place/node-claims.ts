import { closeSync, openSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { errnoOf, fromSystemError } from "../../errors.js";
import { makeDirectories } from "../../host/make-directories.js";
import type { CacheLayout } from "../layout.js";

/** A node that uses a cache in the course of a run over many nodes. */
export interface NodeClaim {
  /** Hexadecimal digits that no other run has. */
  readonly run: string;
  readonly node: string;
}

/** How long a run may take, in milliseconds. */
const longestRun = 7 * 24 * 3600 * 1000;

/** More names than this tell nothing new. */
const mostNames = 16;

/**
 * Notes that a node uses this cache, which is the caller's own and prepared.
 * @returns other nodes that use it in the same run, at most 16: their disk is this node's
 * @throws StageError NOT_WRITABLE, NO_SPACE, PERMISSION
 */
export function claimForNode(layout: CacheLayout, { run, node }: NodeClaim): readonly string[] {
  if (!/^[0-9a-f]{1,64}$/.test(run) || !/^[\w.-]{1,180}$/.test(node)) return [];
  const directory = layout.nodes;
  try {
    makeDirectories(directory, 0o700);
    const own = `${run},${node}`;
    make(join(directory, own));
    const names = readdirSync(directory);
    for (const name of names) if (!name.startsWith(`${run},`)) dropIfOld(join(directory, name));
    const others = names.filter((name) => name.startsWith(`${run},`) && name !== own);
    return others.slice(0, mostNames).map((name) => name.slice(run.length + 1));
  } catch (error) {
    throw fromSystemError(error, `note in ${directory} which node uses it`);
  }
}

/** A node that is tried again has made it before. */
function make(path: string): void {
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch (error) {
    if (errnoOf(error) !== "EEXIST") throw error;
  }
}

function dropIfOld(path: string): void {
  try {
    if (statSync(path).mtimeMs < Date.now() - longestRun) rmSync(path, { force: true });
  } catch (error) {
    // Another node was faster.
    if (errnoOf(error) !== "ENOENT") throw error;
  }
}
