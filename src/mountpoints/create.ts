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
import { fromSystemError } from "../errors.js";
import { type ByteString, pathBelow } from "../host/byte-string.js";
import { fileTime, modificationTime } from "../host/file-time.js";
import { lstatIfAny } from "../host/lstat-if-any.js";
import { removeTree } from "../host/remove-tree.js";
import { parentOf } from "../host/rooted-tree.js";
import type { MountKind, MountRequest } from "./mount-point.js";
import { type Clash, type MountPlan, planMountPoints, type Standing, type Step } from "./plan.js";

export interface CreateOptions {
  /** Which places may be replaced by another kind. */
  readonly mayReplace: (clash: Clash) => boolean;
  /** Whether nobody but the owner may write to what is made, not even to /tmp. Default: false. */
  readonly isOwnersOnly?: boolean | undefined;
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
): MountPlan {
  const { requests, mayReplace, isOwnersOnly = false } = options;
  try {
    const plan = planMountPoints(requests, { look: (path) => lookAt(rootfs, path), mayReplace });
    if (plan.clashes.length === 0)
      for (const step of plan.steps) perform(rootfs, { ...step, isOwnersOnly });
    return plan;
  } catch (error) {
    throw fromSystemError(error, `make the mount points in ${rootfs}`);
  }
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

function perform(rootfs: string, step: Step & { isOwnersOnly: boolean }): void {
  const { action, path, isOwnersOnly } = step;
  const parent = pathBelow(rootfs, parentOf(path));
  const before = modificationTime(lstatSync(parent, { bigint: true }));
  const target = pathBelow(rootfs, path);
  if (action === "remove") {
    removeTree(rootfs, path);
  } else if (action === "make directory") {
    mkdirSync(target, { mode: 0o700 });
    chmodSync(target, modeOfMade(path, { kind: "dir", isOwnersOnly }));
    restoreTime(target, before);
  } else {
    const fd = openSync(target, createNew, 0o600);
    fchmodSync(fd, modeOfMade(path, { kind: "file", isOwnersOnly }));
    futimesSync(fd, fileTime(before), fileTime(before));
    closeSync(fd);
  }
  restoreTime(parent, before);
}

/**
 * A mount point is none of the image's changes: its directory keeps the image's time, and it gets the
 * same one, so that two stagings of an image are alike.
 */
function restoreTime(directory: string | Buffer, mtime: number): void {
  utimesSync(directory, fileTime(mtime), fileTime(mtime));
}
