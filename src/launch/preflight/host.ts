import {
  accessSync,
  closeSync,
  constants,
  openSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  statSync,
} from "node:fs";
import { relative } from "node:path";
import { errnoOf } from "../../errors.js";
import type { ByteString } from "../../host/byte-string.js";
import { isWithin } from "../../host/is-within.js";
import { lstatIfAny } from "../../host/lstat-if-any.js";
import { parseMountLine } from "../../host/mount-of.js";
import { readFully } from "../../host/span.js";
import type { DiskPath, PathKind } from "../../host/tree-disk.js";

/** What a look for faults asks of the host. */
export interface Host {
  /** What stands at a path, the last component not followed. */
  kindOf(path: DiskPath): PathKind;
  /** The same with links followed; `denied` where that can't be told. */
  endOf(path: DiskPath): "missing" | "directory" | "file" | "denied";
  /** Where a symlink leads. */
  targetOf(path: DiskPath): ByteString;
  may(path: DiskPath, act: "read" | "write" | "execute"): boolean;
  /** Bytes of a file, fewer at its end; undefined where it can't be read. */
  read(path: DiskPath, part: { offset: number; length: number }): Buffer | undefined;
  /** Where file systems are mounted writable below a directory, by paths relative to it. */
  writableBelow(path: string): readonly string[];
}

const modes = { read: constants.R_OK, write: constants.W_OK, execute: constants.X_OK };

/** The host that this process runs on, as its user. */
export const thisHost: Host = {
  kindOf(path) {
    const stat = lstatIfAny(path);
    if (!stat) return "missing";
    if (stat.isDirectory()) return "directory";
    return stat.isSymbolicLink() ? "symlink" : "file";
  },
  endOf(path) {
    try {
      const stat = statSync(path, { throwIfNoEntry: false });
      return !stat ? "missing" : stat.isDirectory() ? "directory" : "file";
    } catch (error) {
      return failureOf(error) === "EACCES" ? "denied" : "missing";
    }
  },
  targetOf: (path) => readlinkSync(path, { encoding: "latin1" }),
  may(path, act) {
    try {
      accessSync(path, modes[act]);
      return true;
    } catch (error) {
      failureOf(error);
      return false;
    }
  },
  read(path, { offset, length }) {
    try {
      const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
      try {
        const buffer = Buffer.alloc(length);
        return buffer.subarray(0, readFully(fd, buffer, offset));
      } finally {
        closeSync(fd);
      }
    } catch (error) {
      failureOf(error);
      return undefined;
    }
  },
  writableBelow(path) {
    try {
      const directory = realpathSync(path);
      return writableMounts(readFileSync("/proc/self/mountinfo", "latin1"))
        .filter((mountPoint) => mountPoint !== directory && isWithin(mountPoint, directory))
        .map((mountPoint) => relative(directory, mountPoint));
    } catch (error) {
      failureOf(error);
      return [];
    }
  },
};

/** @param mountinfo as in proc(5) */
export function writableMounts(mountinfo: string): readonly string[] {
  const mounts = mountinfo.split("\n").flatMap(parseMountLine);
  return mounts.filter(({ isWritable }) => isWritable).map(({ disk }) => disk.mountPoint);
}

function failureOf(error: unknown): string {
  const errno = errnoOf(error);
  if (errno === undefined) throw error;
  return errno;
}
