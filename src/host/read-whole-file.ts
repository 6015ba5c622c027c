import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats } from "node:fs";

/** A file that {@link readWholeFile} does not read. The message is what it is: `is too large`. */
export class FileRefused extends Error {}

/** Linux's /dev/null, which stands for a file that is empty. */
const nullDevice = 0x103;

/**
 * Reads a small file at once, without waiting and without end: not from a fifo, which nobody may
 * write to, nor from a device such as /dev/zero.
 * @param longest the largest size in bytes that is read
 * @throws FileRefused, and errors of system calls
 */
export function readWholeFile(path: string, longest: number): Buffer {
  const { fd, stat } = openOrdinaryFile(path);
  try {
    if (stat.size > longest) throw new FileRefused(`is larger than ${longest} bytes`);
    return readFileSync(fd);
  } finally {
    closeSync(fd);
  }
}

/**
 * Opens a regular file, or /dev/null, for reading. Anything else is not waited for.
 * @throws FileRefused, and errors of system calls
 */
export function openOrdinaryFile(path: string): { fd: number; stat: Stats } {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  try {
    const stat = fstatSync(fd);
    if (stat.isFile() || isNull(stat)) return { fd, stat };
    throw new FileRefused(stat.isDirectory() ? "is a directory" : "is not a regular file");
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function isNull(stat: Stats): boolean {
  return stat.isCharacterDevice() && stat.rdev === nullDevice;
}
