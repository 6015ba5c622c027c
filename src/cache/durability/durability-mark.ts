import { existsSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { errnoOf, fromSystemError } from "../../errors.js";
import { isUnreadable } from "../../host/is-unreadable.js";
import { bootId } from "../../host/process-identity.js";
import { uniqueWord } from "../../host/unique-word.js";

/**
 * Each layer and each entry has a mark, an empty file beside its tree, which tells how far power
 * loss can have harmed it. `boot-<boot ID>-<word>`: it was complete when it was published, in that
 * boot, but maybe not all of it was on the disk by then. As long as the machine has not started
 * anew, what was written is what is read. `durable`: all of it was on the disk before it got this
 * mark. So whatever a loss of power leaves of files and directories, in whatever order a file system
 * writes them, a mark that says more than is true can't be among it: that of an earlier boot says
 * nothing, and `durable` is younger than all that it speaks of.
 */
const durableName = "durable";

function bootPrefix(): string {
  return `boot-${bootId()}`;
}

/** Marks a directory that is complete, and that nobody sees yet, as one of this boot. */
export function markNew(directory: string): void {
  const path = join(directory, `${bootPrefix()}-${uniqueWord()}`);
  try {
    writeFileSync(path, "", { flag: "wx", mode: 0o600 });
  } catch (error) {
    throw fromSystemError(error, `write ${path}`);
  }
}

/** Whether a directory that was published is still what it was then, whether or not power failed. */
export function isIntact(directory: string): boolean {
  if (existsSync(join(directory, durableName))) return true;
  const prefix = bootPrefix();
  // It may become durable between the two looks.
  return namesIn(directory).some((name) => name === durableName || name.startsWith(prefix));
}

/**
 * The mark of a directory that may not be on the disk yet, to be exchanged when it is. The mark has
 * a name of its own, so that it is no other directory's which took this one's place meanwhile.
 */
export interface PendingMark {
  readonly directory: string;
  readonly name: string;
}

/** Undefined for what is durable, or is not known to be intact. */
export function pendingMark(directory: string): PendingMark | undefined {
  if (existsSync(join(directory, durableName))) return undefined;
  const prefix = `${bootPrefix()}-`;
  const name = namesIn(directory).find((n) => n.startsWith(prefix));
  return name === undefined ? undefined : { directory, name };
}

/** Marks as durable what was all on the disk after its pending mark was read. */
export function markDurable(mark: PendingMark): void {
  exchange(mark, durableName);
}

/**
 * Gives up hope that it will ever be durable, since the disk has refused something. Until the next
 * boot it stays what it is.
 */
export function markLost(mark: PendingMark): void {
  exchange(mark, bootPrefix());
}

/** The same for what others are made from: it is to be made again. */
export function removeMark({ directory, name }: PendingMark): void {
  rmSync(join(directory, name), { force: true });
}

/**
 * Before something durable is changed: what is added may not be on the disk.
 * @returns whether it was durable
 */
export function markChanged(directory: string): boolean {
  return exchange({ directory, name: durableName }, `${bootPrefix()}-${uniqueWord()}`);
}

/** @returns whether there was such a mark */
function exchange({ directory, name }: PendingMark, replacement: string): boolean {
  try {
    renameSync(join(directory, name), join(directory, replacement));
    return true;
  } catch (error) {
    // Removed, replaced, or marked by another process.
    if (errnoOf(error) !== "ENOENT") throw fromSystemError(error, `write to ${directory}`);
    return false;
  }
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") return [];
    // What nobody can look into is not known to be intact.
    if (isUnreadable(error)) return [];
    throw fromSystemError(error, `read ${directory}`);
  }
}
