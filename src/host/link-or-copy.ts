import {
  chmodSync,
  constants,
  copyFileSync,
  lchownSync,
  linkSync,
  lstatSync,
  lutimesSync,
  readlinkSync,
  symlinkSync,
} from "node:fs";
import { errnoOf } from "../errors.js";
import { rawPath } from "./byte-string.js";
import { copyAttributes } from "./extended-attributes.js";
import { fileTime, modificationTime } from "./file-time.js";

/** Reasons why a file can't have another link here: too many, no such thing, another disk. */
const noLink: ReadonlySet<string | undefined> = new Set(["EMLINK", "EPERM", "ENOTSUP", "EXDEV"]);

export interface LinkOptions {
  /** Whether the file may have extended attributes: looking for them takes time. */
  readonly mayHaveAttributes: boolean;
}

/**
 * Gives a file or symlink a second name; where it can have none, a copy with the same metadata.
 * @throws errors of system calls, EEXIST where the name is taken
 */
export function linkOrCopy(
  source: string | Buffer,
  target: string | Buffer,
  options: LinkOptions,
): void {
  try {
    linkSync(source, target);
  } catch (error) {
    const errno = errnoOf(error);
    if (!noLink.has(errno)) throw error;
    if (errno === "EMLINK") linkToCopy(source, target, options);
    else copyWithMetadata(source, target, options);
  }
}

/** What tells a file from all others, and whether anything was done to it since. */
interface Copy {
  readonly path: string | Buffer;
  readonly state: string;
}

/** The last copy of each file that has all the links that the disk allows. */
const copies = new Map<string, Copy>();

/** Far more than there are such files. */
const mostCopies = 1000;

/** Links to a copy of a file that can't have more links, so that one copy does for many names. */
function linkToCopy(source: string | Buffer, target: string | Buffer, options: LinkOptions): void {
  const { dev, ino } = lstatSync(source, { bigint: true });
  const name = `${dev}-${ino}`;
  const copy = copies.get(name);
  if (!copy || stateOf(copy.path) !== copy.state || !tryLink(copy.path, target)) {
    copyWithMetadata(source, target, options);
  }
  copies.delete(name);
  copies.set(name, { path: target, state: stateOf(target) ?? "" });
  for (const oldest of copies.keys()) {
    if (copies.size <= mostCopies) break;
    copies.delete(oldest);
  }
}

function stateOf(path: string | Buffer): string | undefined {
  const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  return stat && `${stat.dev} ${stat.ino} ${stat.ctimeNs}`;
}

function tryLink(source: string | Buffer, target: string | Buffer): boolean {
  try {
    linkSync(source, target);
    return true;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === "ENOENT" || noLink.has(errno)) return false;
    throw error;
  }
}

function copyWithMetadata(
  source: string | Buffer,
  target: string | Buffer,
  { mayHaveAttributes }: LinkOptions,
): void {
  const { mode, uid, gid } = lstatSync(source);
  const mtime = fileTime(modificationTime(lstatSync(source, { bigint: true })));
  const isSymlink = (mode & 0o170000) === 0o120000;
  if (isSymlink) {
    symlinkSync(rawPath(readlinkSync(source, { encoding: "latin1" })), target);
  } else {
    copyFileSync(source, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    if (mayHaveAttributes) copyAttributes(source, target);
  }
  if (process.geteuid?.() === 0) lchownSync(target, uid, gid);
  if (!isSymlink) chmodSync(target, mode & 0o7777);
  lutimesSync(target, mtime, mtime);
}
