import { join } from "node:path";
import { isInMemory, type SyncOutcome, syncFileSystem } from "../../host/sync-file-system.js";
import type { CacheLayout } from "../layout.js";
import { namesIn } from "../removal/abandoned.js";
import {
  markDurable,
  markLost,
  type PendingMark,
  pendingMark,
  removeMark,
} from "./durability-mark.js";

export interface Durability {
  /** Told in a word when the disk did not get all of it, so that it lasts to the next boot only. */
  readonly onDoubt: (reason: "late" | "unavailable") => void;
  readonly signal?: AbortSignal | undefined;
}

/** How long a disk may take, in milliseconds: others may have given it more to write than we. */
const patience = 30_000;

/**
 * Has an entry written to disk with all that it consists of, and marks it as durable; with it all
 * that was published before, which costs nothing more. Files of layers are files of the rootfs, so
 * none of them needs a turn of its own. Of a disk in memory nothing is durable.
 * @param directory of the entry, complete and marked as new; published or not
 * @throws StageError NOT_WRITABLE, NO_SPACE when the disk refuses something that was written
 */
export async function makeDurable(
  layout: CacheLayout,
  { directory, durability }: { directory: string; durability: Durability },
): Promise<void> {
  if (isInMemory(directory)) return;
  const layers = pendingIn(layout.layers);
  const entries = [...pendingIn(layout.entries), ...pendingAt(directory)];
  let outcome: SyncOutcome;
  try {
    outcome = await syncFileSystem(directory, { patience, signal: durability.signal });
  } catch (error) {
    if (durability.signal?.aborted) throw error;
    // Which of all the files the disk has refused, nobody tells, and nobody is told twice.
    layers.forEach(removeMark);
    entries.forEach(markLost);
    throw error;
  }
  if (outcome === "synced") [...layers, ...entries].forEach(markDurable);
  else durability.onDoubt(outcome);
}

function pendingIn(parent: string): readonly PendingMark[] {
  return namesIn(parent).flatMap((name) => pendingAt(join(parent, name)));
}

function pendingAt(directory: string): readonly PendingMark[] {
  const mark = pendingMark(directory);
  return mark ? [mark] : [];
}
