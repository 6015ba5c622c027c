import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  linkSync,
  mkdtempSync,
  openSync,
} from "node:fs";
import { join } from "node:path";
import { checkKindOfDisk, tryDisk } from "../../cache/place/check-disk.js";
import { nearestDirectory, refuseForeignContent } from "../../cache/place/location.js";
import { type CacheStanding, checkTrust } from "../../cache/place/trust.js";
import { fromSystemError, StageError } from "../../errors.js";
import { printable } from "../../host/byte-string.js";
import { freeRoom } from "../../host/disk-room.js";
import { AttributeWriter } from "../../host/extended-attributes.js";
import { fileSystemKind } from "../../host/file-system-kind.js";
import { mountOf } from "../../host/mount-of.js";
import { removeTree } from "../../host/remove-tree.js";
import { allowedDisksOf } from "../request.js";
import { type SettingsOptions, settingsOf } from "../settings.js";

export interface ExamineOptions extends SettingsOptions {
  /** As for staging. */
  readonly allowDisks?: readonly string[] | undefined;
}

/** What can be said of a cache without making or changing it. */
export interface CacheExamination {
  readonly directory: string;
  readonly standing: CacheStanding | "untrusted";
  /** Where it is, or would be. */
  readonly disk: ExaminedDisk | undefined;
  /** Whether files of images can share their content there; undefined where it could not be tried. */
  readonly hasLinks: boolean | undefined;
  readonly hasAttributes: boolean | undefined;
  /** Why it can't be staged to; undefined where it can. */
  readonly problem: StageError | undefined;
}

export interface ExaminedDisk {
  readonly type: string;
  readonly mountPoint: string | undefined;
  /** In bytes. */
  readonly freeBytes: number;
  /** Undefined where the disk sets no limit. */
  readonly freeInodes: number | undefined;
}

/**
 * Looks whether images can be staged to the cache that options mean. What is tried for that on its
 * disk is gone afterwards.
 * @throws StageError CONFIG
 */
export function examineCache(options: ExamineOptions): CacheExamination {
  const { cacheDirectory: directory, uid } = settingsOf(options);
  const place = { cacheDirectory: directory, uid, trustedOwners: options.trustOwners };
  let standing: CacheExamination["standing"] = "untrusted";
  let tried: TriedDisk = { hasLinks: undefined, hasAttributes: undefined };
  let problem: StageError | undefined;
  try {
    standing = checkTrust(place);
    const nearest = nearestDirectory(directory);
    checkKindOfDisk(nearest, allowedDisksOf(options));
    if (standing !== "foreign") {
      if (standing === "own" && !existsSync(join(directory, "v1"))) refuseForeignContent(directory);
      accessSync(nearest, constants.W_OK | constants.X_OK);
      const temporary = join(directory, "v1/tmp");
      tried = tryOut(existsSync(temporary) ? temporary : nearest, directory);
    }
  } catch (error) {
    const known = fromSystemError(error, `write to the cache ${printable(directory)}`);
    if (!(known instanceof StageError)) throw known;
    problem = known;
  }
  return { directory, standing, disk: diskOf(directory), ...tried, problem };
}

type TriedDisk = Pick<CacheExamination, "hasLinks" | "hasAttributes">;

function tryOut(directory: string, cache: string): TriedDisk {
  const probe = mkdtempSync(join(directory, "stage-rootfs-probe-"));
  try {
    tryDisk(probe, cache);
    const fd = openSync(join(probe, "file"), "wx", 0o600);
    try {
      const attribute = ["user.stage-rootfs", Buffer.from("1")] as const;
      return {
        hasLinks: canLink(join(probe, "file")),
        hasAttributes: new AttributeWriter().set(fd, [attribute]),
      };
    } finally {
      closeSync(fd);
    }
  } finally {
    removeTree(probe);
  }
}

function canLink(file: string): boolean {
  try {
    linkSync(file, `${file}-link`);
    return true;
  } catch {
    return false;
  }
}

function diskOf(directory: string): ExaminedDisk | undefined {
  try {
    const nearest = nearestDirectory(directory);
    const { bytes, inodes } = freeRoom(nearest);
    const mounted = mountOf(nearest);
    return {
      type: mounted?.type ?? fileSystemKind(nearest).name,
      mountPoint: mounted?.mountPoint,
      freeBytes: bytes,
      freeInodes: Number.isFinite(inodes) ? inodes : undefined,
    };
  } catch {
    // What keeps it from being looked at is the problem that is told.
    return undefined;
  }
}
