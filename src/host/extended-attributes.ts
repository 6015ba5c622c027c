import { closeSync, constants, fchmodSync, fstatSync, openSync } from "node:fs";
import { createRequire } from "node:module";
import { errnoOf } from "../errors.js";
import { type ByteString, bytesOfText } from "./byte-string.js";
import { loadNow } from "./loading-gate.js";

/** Extended attributes of one file: names as bytes, with their values. */
export type Attributes = readonly (readonly [name: ByteString, value: Buffer])[];

const openFile = constants.O_RDONLY | constants.O_NOFOLLOW;
const openDirectory = openFile | constants.O_DIRECTORY;

/**
 * Gives the files and directories of one disk their extended attributes, as far as it takes them:
 * those called `user.*`, because all others mean something to the kernel. What the disk refuses is
 * told and is no error: each has limits of its own, and ext4 says ENOSPC where a single file has
 * too many. A disk that has no attributes at all is not asked again by the same object.
 *
 * Needs /proc and the package fs-xattr, which is optional; without them nothing is set.
 */
export class AttributeWriter {
  #isPossible = true;

  /**
   * Adds attributes to an open file or directory.
   * @returns whether all of them are on disk now
   */
  set(fd: number, attributes: Attributes): boolean {
    let areSet = true;
    for (const [name, value] of attributes) {
      const isSet = isForUsers(name) && this.#setOne(fd, { name, value });
      areSet &&= isSet;
    }
    return areSet;
  }

  /** {@link set} for the directory at `path`; a link there is not followed. */
  setOnDirectory(path: string | Buffer, attributes: Attributes): boolean {
    if (!this.#isPossible || !attributes.some(([name]) => isForUsers(name))) return false;
    let areSet = false;
    attempt(() => {
      areSet = withOpen(path, { flags: openDirectory, use: (fd) => this.set(fd, attributes) });
    });
    return areSet;
  }

  #setOne(fd: number, { name, value }: { name: ByteString; value: Buffer }): boolean {
    const native = this.#isPossible ? nativeAttributes() : undefined;
    this.#isPossible = native !== undefined;
    const text = textOf(name);
    if (!native || text === undefined) return false;
    const set = () => native.setAttributeSync(openedPath(fd), text, value);
    let errno = attempt(set);
    if (errno === "EACCES") errno = attempt(() => whileWritable(fd, set));
    if (errno === "ENOTSUP") this.#isPossible = false;
    return errno === undefined;
  }
}

/** Gives the copy of a file the attributes of the original, as {@link AttributeWriter} does. */
export function copyAttributes(source: string | Buffer, target: string | Buffer): void {
  const attributes = withOpen(source, { flags: openFile, use: userAttributes });
  if (attributes.length === 0) return;
  const writer = new AttributeWriter();
  withOpen(target, { flags: openFile, use: (fd) => writer.set(fd, attributes) });
}

/** The attributes of an open file or directory that are called `user.*`; none where they can't be read. */
function userAttributes(fd: number): Attributes {
  const native = nativeAttributes();
  if (!native) return [];
  const found: [ByteString, Buffer][] = [];
  attempt(() => {
    for (const text of native.listAttributesSync(openedPath(fd)).filter(isForUsers)) {
      // A name that is no UTF-8 comes damaged and leads to nothing; no writer of ours makes one.
      attempt(() => {
        found.push([bytesOfText(text), native.getAttributeSync(openedPath(fd), text)]);
      });
    }
  });
  return found;
}

/** Those of overlayfs would steer an overlay that somebody mounts with `userxattr` over the tree. */
function isForUsers(name: ByteString): boolean {
  return name.startsWith("user.") && !name.startsWith("user.overlay.");
}

/** The name as the native package takes it; undefined for what it would change on the way. */
function textOf(name: ByteString): string | undefined {
  const bytes = Buffer.from(name, "latin1");
  const text = bytes.toString("utf8");
  return name.includes("\0") || !Buffer.from(text, "utf8").equals(bytes) ? undefined : text;
}

/** Leads to what is open, whatever its name is and however long its path. */
function openedPath(fd: number): string {
  return `/proc/self/fd/${fd}`;
}

function withOpen<Result>(
  path: string | Buffer,
  { flags, use }: { flags: number; use: (fd: number) => Result },
): Result {
  const fd = openSync(path, flags);
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}

/** Its owner may give a file attributes, but not while its mode says that it can't be written to. */
function whileWritable(fd: number, act: () => void): void {
  const mode = fstatSync(fd).mode & 0o7777;
  fchmodSync(fd, mode | 0o200);
  try {
    act();
  } finally {
    fchmodSync(fd, mode);
  }
}

/** Makes system calls that may fail. @returns the errno code where one did */
function attempt(act: () => void): string | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === undefined) throw error;
    return errno;
  }
}

/** What is used of the package fs-xattr. It follows links, and takes paths and names as UTF-8. */
interface NativeAttributes {
  setAttributeSync(path: string, name: string, value: Buffer): void;
  getAttributeSync(path: string, name: string): Buffer;
  listAttributesSync(path: string): string[];
}

let loaded: NativeAttributes | undefined;
let looked = false;

function nativeAttributes(): NativeAttributes | undefined {
  if (!looked) {
    loaded = loadNow(() => {
      try {
        return createRequire(import.meta.url)("fs-xattr");
      } catch {
        return undefined;
      }
    });
    looked = true;
  }
  return loaded;
}
