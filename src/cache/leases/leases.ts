import {
  chmodSync,
  closeSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmdirSync,
  unlinkSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { errnoOf } from "../../errors.js";
import { ignoring } from "../../host/ignoring.js";
import { isUnreadable } from "../../host/is-unreadable.js";
import { lstatIfAny } from "../../host/lstat-if-any.js";
import { uniqueWord } from "../../host/unique-word.js";
import { hasEntry } from "../entry.js";
import type { CacheLayout } from "../layout.js";
import { isOpenToReaders } from "../place/readers.js";
import { isTrustedTaker } from "./believable-lease.js";
import { formatLease, type Lease, parseLease, unreadableLeases } from "./lease-name.js";

/**
 * Leases are empty files, `leases/<key>/<lease>`, and all they say is in their names: nothing that
 * another user may have put there is ever opened. Whoever removes an entry hides its `entry.json`
 * first and looks for leases then; whoever uses one takes a lease first and looks for `entry.json`
 * then. So one of the two always sees the other.
 */
export interface FoundLease {
  readonly name: string;
  readonly lease: Lease;
  /** When it was taken, or taken again, in milliseconds since 1970. */
  readonly takenAt: number;
  /** The user whose it is. */
  readonly owner: number;
  /** Whether that user is the cache's owner or root, and so to be believed. */
  readonly isTrusted: boolean;
}

/**
 * - `taken`: now;
 * - `held`: it was held already, and counts as taken now;
 * - `missing`: there is no such entry.
 */
export type LeaseOutcome = "taken" | "held" | "missing";

/**
 * Takes a lease on an entry. It protects the entry if that is found, or still found, afterwards. A
 * lease on an entry that turns out to be gone is left alone: another process of the same job may
 * have found the entry under it, and whoever removes the entry removes its leases too.
 * @throws errors of the file system, for one that the cache can't be written to
 */
export function takeLease(layout: CacheLayout, key: string, lease: Lease): LeaseOutcome {
  const path = join(layout.leases(key), formatLease(lease));
  for (let attempt = 1; ; attempt++) {
    try {
      return takeOrTouch(path);
    } catch (error) {
      if (errnoOf(error) !== "ENOENT" && errnoOf(error) !== "ENOTDIR") throw error;
      if (!hasEntry(layout, key)) return "missing";
      // It is not for want of a directory.
      if (attempt === attempts) throw error;
    }
    // Entries of an earlier version have none.
    makeLeaseDirectory(layout, key);
  }
}

/** How often an entry may go and come back while a lease is taken. */
const attempts = 3;

function takeOrTouch(path: string): LeaseOutcome {
  for (;;) {
    try {
      closeSync(openSync(path, "wx", 0o600));
      return "taken";
    } catch (error) {
      if (errnoOf(error) !== "EEXIST") throw error;
    }
    const stat = lstatIfAny(path);
    // It was released, or removed with the entry, since then.
    if (!stat) continue;
    const isOwn = stat.uid === process.geteuid?.();
    // One of the cache's owner is as good, but can't be touched.
    if (stat.isFile() && !isOwn && stat.uid === lstatSync(dirname(path)).uid) return "held";
    if (!stat.isFile() || !isOwn) return takeBeside(path);
    if (touch(path)) return "held";
  }
}

/**
 * Takes a lease whose name another user has taken, by mistake or to keep this one from having it:
 * theirs might not count, and they could give it up at any time.
 */
function takeBeside(path: string): LeaseOutcome {
  const directory = dirname(path);
  for (const name of namesIn(directory)) {
    if (!name.startsWith(`${basename(path)}~`)) continue;
    const stat = lstatIfAny(join(directory, name));
    if (stat?.isFile() && stat.uid === process.geteuid?.() && touch(join(directory, name))) {
      return "held";
    }
  }
  closeSync(openSync(`${path}~${uniqueWord()}`, "wx", 0o600));
  return "taken";
}

/** @returns false when it is gone */
function touch(path: string): boolean {
  const time = new Date();
  return ignoring(["ENOENT"], () => lutimesSync(path, time, time));
}

/**
 * Makes the directory for an entry's leases; it may be there. In a shared cache everybody may add
 * leases to it, and take back their own. The directory above is its owner's alone, so that nobody
 * can put a link in this one's place.
 */
export function makeLeaseDirectory(layout: CacheLayout, key: string): void {
  const path = layout.leases(key);
  const make = () => {
    mkdirSync(path, { mode: 0o700 });
    if (isOpenToReaders(dirname(path))) chmodSync(path, 0o1777);
  };
  if (ignoring(["EEXIST"], make) || lstatIfAny(path)?.isDirectory() !== false) return;
  // What is no directory has no leases, and keeps any from being taken.
  ignoring(["ENOENT", "EISDIR", "EPERM"], () => unlinkSync(path));
  ignoring(["EEXIST"], make);
}

/** Gives an entry's use another time without a lease. @throws errors of the file system */
export function noteUse(layout: CacheLayout, key: string): void {
  const time = new Date();
  lutimesSync(layout.leases(key), time, time);
}

/**
 * Gives a lease up.
 * @returns whether there was one
 * @throws errors of the file system
 */
export function releaseLease(
  layout: CacheLayout,
  key: string,
  { name }: Pick<FoundLease, "name">,
): boolean {
  return unlinkIfAny(join(layout.leases(key), name));
}

/**
 * All leases on an entry, the living and the dead. What is none is left out. Leases that can't be
 * read, for their directory's mode or a fault of the disk, count as one that never ends.
 */
export function leasesOn(layout: CacheLayout, key: string): readonly FoundLease[] {
  const directory = layout.leases(key);
  const cacheOwner = lstatIfAny(directory);
  if (!cacheOwner?.isDirectory()) return [];
  try {
    return leasesIn(directory, cacheOwner.uid);
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    const takenAt = Math.min(cacheOwner.mtimeMs, cacheOwner.ctimeMs);
    const { uid: owner } = cacheOwner;
    const lease = unreadableLeases;
    return [{ name: formatLease(lease), lease, takenAt, owner, isTrusted: true }];
  }
}

function leasesIn(directory: string, cacheOwner: number): readonly FoundLease[] {
  return namesOfLeases(directory).flatMap(({ name, lease }) => {
    const stat = lstatIfAny(join(directory, name));
    if (!stat?.isFile()) return [];
    // A file's owner can date it forward, but not the change of its date.
    const takenAt = Math.min(stat.mtimeMs, stat.ctimeMs);
    return [
      {
        name,
        lease,
        takenAt,
        owner: stat.uid,
        isTrusted: isTrustedTaker(stat.uid, cacheOwner),
      },
    ];
  });
}

function namesOfLeases(directory: string): readonly { name: string; lease: Lease }[] {
  return namesIn(directory).flatMap((name) => {
    const lease = parseLease(name);
    return lease ? [{ name, lease }] : [];
  });
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") return [];
    throw error;
  }
}

/**
 * Removes an entry's leases with their directory. Where other users may add to it, what they have
 * put there instead of a lease stays if it can't be unlinked: going into a directory of theirs is
 * nothing that root should do.
 */
export function removeLeases(layout: CacheLayout, key: string): void {
  const directory = layout.leases(key);
  const stat = lstatIfAny(directory);
  if (stat?.isDirectory() === false) {
    unlinkIfAny(directory);
    return;
  }
  if (stat && (stat.mode & 0o700) !== 0o700) chmodSync(directory, stat.mode | 0o700);
  for (const name of namesIn(directory)) removeOne(join(directory, name));
  ignoring(["ENOENT", "ENOTDIR", "ENOTEMPTY", "EEXIST"], () => rmdirSync(directory));
}

function removeOne(path: string): void {
  try {
    unlinkIfAny(path);
  } catch (error) {
    if (errnoOf(error) !== "EISDIR" && errnoOf(error) !== "EPERM") throw error;
    ignoring(["ENOENT", "ENOTDIR", "ENOTEMPTY", "EEXIST", "EPERM"], () => rmdirSync(path));
  }
}

function unlinkIfAny(path: string): boolean {
  return ignoring(["ENOENT", "ENOTDIR"], () => unlinkSync(path));
}
