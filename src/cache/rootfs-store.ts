import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { fromSystemError } from "../errors.js";
import { fsyncPath } from "../host/sync-file-system.js";
import { markChanged, markNew } from "./durability/durability-mark.js";
import { type Durability, makeDurable } from "./durability/make-durable.js";
import { type DetailsGuard, type Entry, entryFile, readEntry, rootfsOf } from "./entry.js";
import { writeRecord } from "./index/write-record.js";
import type { CacheLayout } from "./layout.js";
import { makeLeaseDirectory } from "./leases/leases.js";
import { showAgain } from "./leases/leaving.js";
import { lockOrAdopt } from "./locks/lock.js";
import { openToReaders } from "./place/readers.js";
import { type Published, readOrPublish, type WaitOptions } from "./publish.js";

export interface PublishRootfsOptions<Details> extends WaitOptions {
  readonly key: string;
  readonly isDetails: DetailsGuard<Details>;
  /** How it is to outlast a loss of power; undefined where it need not. */
  readonly durability?: Durability | undefined;
  /** Fills the empty directory `rootfs`; `scratch` is an empty one beside it. */
  readonly make: (directories: { rootfs: string; scratch: string }) => Promise<Details>;
}

/** The entry under a key; made by this process when no other has or does. */
export async function ensureRootfs<Details>(
  layout: CacheLayout,
  options: PublishRootfsOptions<Details>,
): Promise<Published<Entry<Details>>> {
  const { key, isDetails, durability, make } = options;
  const path = layout.entry(key);
  const published = await readOrPublish(layout, {
    ...options,
    what: "the image",
    lock: entryLock(key),
    path,
    read: () => readEntry(layout, { key, isDetails }),
    restore: () => showAgain(entryFile(layout.entry(key))),
    make: async (directory) => {
      const rootfs = `${directory}/rootfs`;
      const scratch = `${directory}/scratch`;
      mkdirSync(rootfs, { mode: 0o700 });
      mkdirSync(scratch, { mode: 0o700 });
      const details = await make({ rootfs, scratch });
      const entry: Entry<Details> = { schemaVersion: 1, key, stagedAt: Date.now(), details };
      writeRecord(entryFile(directory), entry);
      openToReaders(directory);
      markNew(directory);
      makeLeaseDirectory(layout, key);
      if (durability) await makeDurable(layout, { directory, durability });
      return entry;
    },
  });
  if (durability && published.made) persist(dirname(path));
  return published;
}

function persist(directory: string): void {
  try {
    fsyncPath(directory);
  } catch (error) {
    throw fromSystemError(error, `write ${directory}`);
  }
}

export interface UpdateRootfsOptions<Details> extends WaitOptions {
  readonly key: string;
  readonly isDetails: DetailsGuard<Details>;
  readonly durability?: Durability | undefined;
  /** Looks whether there is anything to do. */
  readonly isDone: (details: Details) => boolean;
  /**
   * Says what `change` is going to do, in details that are put on record before it begins: those
   * that a process which is killed under way leaves behind.
   */
  readonly announce?: (rootfs: string, details: Details) => Details;
  /**
   * Changes the rootfs as announced and returns the new details. Nobody else changes it meanwhile.
   */
  readonly change: (rootfs: string, details: Details) => Details;
}

/**
 * Changes an entry that stands already: adds mount points to it.
 * @returns undefined when there is no such entry any more
 */
export async function updateRootfs<Details>(
  layout: CacheLayout,
  options: UpdateRootfsOptions<Details>,
): Promise<Entry<Details> | undefined> {
  const { key, isDetails, durability, isDone, announce, change } = options;
  const read = () => readEntry(layout, { key, isDetails });
  const adopt = () => {
    const entry = read();
    return !entry || isDone(entry.details) ? { entry } : undefined;
  };
  const what = "the image";
  const outcome = await lockOrAdopt(layout.lock(entryLock(key)), { ...options, what, adopt });
  if (outcome.kind === "adopted") return outcome.value.entry;
  try {
    showAgain(entryFile(layout.entry(key)));
    const before = read();
    if (!before) return undefined;
    const directory = layout.entry(key);
    // A disk that writes names in another order must not keep this mark with what is changed below.
    if (markChanged(directory)) persist(directory);
    const rootfs = rootfsOf(layout, key);
    let entry = before;
    const record = (details: Details) => {
      entry = { ...before, details };
      writeRecord(entryFile(directory), entry, { layout });
    };
    if (announce) record(announce(rootfs, entry.details));
    record(change(rootfs, entry.details));
    if (durability) await makeDurable(layout, { directory, durability });
    return entry;
  } finally {
    await outcome.release();
  }
}

/** The name of the lock under which an entry is made, changed and removed. */
export function entryLock(key: string): string {
  return `rootfs-${key}`;
}
