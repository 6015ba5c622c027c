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
    if (!noLink.has(errnoOf(error))) throw error;
    copyWithMetadata(source, target, options);
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
