import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  futimesSync,
  lstatSync,
  mkdirSync,
  openSync,
  readlinkSync,
  utimesSync,
} from "node:fs";
import { fromSystemError, StageError } from "../errors.js";
import { type ByteString, displayPath, pathBelow } from "../host/byte-string.js";
import { fileTime, modificationTime } from "../host/file-time.js";
import { lstatIfAny } from "../host/lstat-if-any.js";
import { removeTree } from "../host/remove-tree.js";
import { parentOf, RootedTree } from "../host/rooted-tree.js";
import type { MountKind, MountRequest } from "./mount-point.js";
import { type Clash, type MountPlan, planMountPoints, type Standing, type Step } from "./plan.js";

export interface CreateOptions {
  /** Which places may be replaced by another kind. */
  readonly mayReplace: (clash: Clash) => boolean;
  /** Whether nobody but the owner may write to what is made, not even to /tmp. Default: false. */
  readonly isOwnersOnly?: boolean | undefined;
}

/** A place of a rootfs that is to be mounted on, or leads to one: how it is to be, all told. */
export interface PlaceToMake {
  /** With all links resolved. */
  readonly path: ByteString;
  readonly kind: MountKind;
  /** Permission bits. */
  readonly mode: number;
  /** Its own time, and that of the directory that it is in, in seconds since 1970. */
  readonly mtime: number;
}

export interface CreationPlan extends Pick<MountPlan, "mountPoints" | "clashes"> {
  /** To be made in order; none with a clash. */
  readonly places: readonly PlaceToMake[];
}

/**
 * Gives a rootfs the mount points that are asked for. With a clash of kinds nothing is changed.
 * Nobody else may change the rootfs meanwhile.
 * @returns what was done, or the clashes
 * @throws StageError USAGE, NO_SPACE, NOT_WRITABLE, PERMISSION
 */
export function createMountPoints(
  rootfs: string,
  options: CreateOptions & { requests: readonly MountRequest[] },
): CreationPlan {
  const plan = planCreation(rootfs, options);
  makePlaces(rootfs, plan.places);
  return plan;
}

/**
 * Says what {@link createMountPoints} would do, to the last detail; changes nothing.
 * @throws StageError USAGE, PERMISSION
 */
export function planCreation(
  rootfs: string,
  options: CreateOptions & { requests: readonly MountRequest[] },
): CreationPlan {
  const { requests, mayReplace, isOwnersOnly = false } = options;
  try {
    const look = (path: ByteString) => lookAt(rootfs, path);
    const { steps, mountPoints, clashes } = planMountPoints(requests, { look, mayReplace });
    const places = clashes.length === 0 ? placesOf(rootfs, { steps, isOwnersOnly }) : [];
    return { places, mountPoints, clashes };
  } catch (error) {
    throw fromSystemError(error, `make the mount points in ${rootfs}`);
  }
}

/**
 * A mount point is none of the image's changes: its directory keeps the image's time, and it gets the
 * same one, so that two stagings of an image are alike.
 */
function placesOf(
  rootfs: string,
  { steps, isOwnersOnly }: { steps: readonly Step[]; isOwnersOnly: boolean },
): readonly PlaceToMake[] {
  const places = new Map<ByteString, PlaceToMake>();
  for (const { action, path } of steps) {
    if (action === "remove") continue;
    const parent = parentOf(path);
    const mtime = places.get(parent)?.mtime ?? timeOf(pathBelow(rootfs, parent));
    const kind = action === "make directory" ? "dir" : "file";
    places.set(path, { path, kind, mode: modeOfMade(path, { kind, isOwnersOnly }), mtime });
  }
  return [...places.values()];
}

function timeOf(path: string | Buffer): number {
  return modificationTime(lstatSync(path, { bigint: true }));
}

/**
 * Makes what was planned, whatever of it is made already: a process that died may have begun.
 * Nobody else may change the rootfs meanwhile.
 * @throws StageError NO_SPACE, NOT_WRITABLE, PERMISSION; CACHE_DAMAGED where the rootfs has been
 * changed since then so that something else would be meant
 */
export function makePlaces(rootfs: string, places: readonly PlaceToMake[]): void {
  try {
    for (const place of places) makePlace(rootfs, place);
  } catch (error) {
    throw fromSystemError(error, `make the mount points in ${rootfs}`);
  }
}

/** Whether a place is there, with whatever mode and time. @throws errors of the file system */
export function isMade(rootfs: string, { path, kind }: PlaceToMake): boolean {
  return lookAt(rootfs, path).kind === kind;
}

/**
 * The places whose kind is in the way of what is asked for; changes nothing.
 * @throws StageError USAGE
 */
export function findClashes(
  rootfs: string,
  options: CreateOptions & { requests: readonly MountRequest[] },
): readonly Clash[] {
  const { requests, mayReplace } = options;
  const look = (path: ByteString) => lookAt(rootfs, path);
  return planMountPoints(requests, { look, mayReplace }).clashes;
}

function lookAt(rootfs: string, path: ByteString): Standing {
  const target = pathBelow(rootfs, path);
  const stat = lstatIfAny(target);
  if (!stat) return { kind: "missing" };
  if (stat.isSymbolicLink()) {
    return { kind: "symlink", target: readlinkSync(target, { encoding: "latin1" }) };
  }
  return { kind: stat.isDirectory() ? "dir" : "file" };
}

const createNew = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** Directories that everybody may write to, as every system has them. */
const openToAll: ReadonlySet<ByteString> = new Set(["tmp", "var/tmp"]);

/**
 * The permission bits of a place that is made to be mounted on, or to lead to one.
 * @param options.isOwnersOnly whether nobody but the owner may write there
 */
export function modeOfMade(
  path: ByteString,
  { kind, isOwnersOnly }: { kind: MountKind; isOwnersOnly: boolean },
): number {
  if (kind === "file") return 0o644;
  return openToAll.has(path) && !isOwnersOnly ? 0o1777 : 0o755;
}

function makePlace(rootfs: string, { path, kind, mode, mtime }: PlaceToMake): void {
  const parent = parentOf(path);
  if (new RootedTree(rootfs).resolveDirectory(parent) !== parent) throw changed(rootfs, parent);
  const target = pathBelow(rootfs, path);
  const standing = lookAt(rootfs, path).kind;
  if (kind === "dir") {
    if (standing !== "dir") {
      if (standing !== "missing") removeTree(rootfs, path);
      mkdirSync(target, { mode: 0o700 });
    }
    chmodSync(target, mode);
    restoreTime(target, mtime);
  } else {
    // What stands there may have another name elsewhere.
    if (standing !== "missing") removeTree(rootfs, path);
    const fd = openSync(target, createNew, 0o600);
    try {
      fchmodSync(fd, mode);
      futimesSync(fd, fileTime(mtime), fileTime(mtime));
    } finally {
      closeSync(fd);
    }
  }
  restoreTime(pathBelow(rootfs, parent), mtime);
}

function restoreTime(directory: string | Buffer, mtime: number): void {
  utimesSync(directory, fileTime(mtime), fileTime(mtime));
}

function changed(rootfs: string, path: ByteString): StageError {
  return new StageError(
    "CACHE_DAMAGED",
    `/${displayPath(path)} in ${rootfs} is not the directory that it was`,
    { hint: "stage-rootfs verify --repair makes the image anew" },
  );
}
