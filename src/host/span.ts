import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { errnoOf, fromSystemError, StageError } from "../errors.js";
import { printable } from "./byte-string.js";
import { awaitGrowth, type Growth } from "./growth.js";

/** Where bytes lie: a part of a regular file. Plain data, so it can go to another thread. */
export interface Span {
  readonly path: string;
  /** Bytes from the start of the file. */
  readonly offset: number;
  /** Length in bytes. */
  readonly size: number;
  /** Of a file that is still being written: how far it is. Whoever reads waits for the bytes. */
  readonly growth?: Growth | undefined;
}

/**
 * Opens a regular file for reading. Anything else (a fifo, a device) is refused without waiting
 * for it.
 * @throws StageError NOT_FOUND, PERMISSION, IMAGE_INVALID
 */
export function openRegularFile(path: string): { fd: number; size: number } {
  try {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    const stat = fstatSync(fd);
    if (stat.isFile()) return { fd, size: stat.size };
    closeSync(fd);
  } catch (error) {
    // What opening a socket, or a device without a driver, fails with.
    if (errnoOf(error) !== "ENXIO") throw fromSystemError(error, `read ${printable(path)}`);
  }
  throw new StageError("IMAGE_INVALID", `${printable(path)} is not a regular file`, {
    hint: "an archive from a pipe is read from standard input: give - as the image",
  });
}

/**
 * Reads into all of `buffer` from `position`; returns fewer bytes than it holds only at the end of
 * the file.
 */
export function readFully(fd: number, buffer: Buffer, position: number): number {
  let filled = 0;
  while (filled < buffer.length) {
    const read = readSync(fd, buffer, filled, buffer.length - filled, position + filled);
    if (read === 0) break;
    filled += read;
  }
  return filled;
}

/**
 * All bytes of a span, for documents (manifests, configs) and other small things.
 * @throws StageError IMAGE_INVALID when the file ends before the span does
 */
export function readSpan(span: Span): Buffer {
  const { fd } = openRegularFile(span.path);
  try {
    const bytes = Buffer.allocUnsafe(span.size);
    readExactly(fd, { span, into: bytes, at: 0 });
    return bytes;
  } finally {
    closeSync(fd);
  }
}

/** The first bytes of a span, at most `length`; fewer where it is shorter. */
export function readStart(span: Span, length: number): Buffer {
  return readSpan({ ...span, size: Math.min(span.size, length) });
}

/** The error for a file that holds only `read` bytes of a span. */
export function endsEarly(span: Span, read: number): StageError {
  const at = span.offset + read;
  return new StageError(
    "IMAGE_INVALID",
    `${printable(span.path)} is truncated: it ends at byte ${at}, ${span.size - read} bytes early`,
    { hint: "fetch or copy the image again" },
  );
}

/**
 * Fills `into` from byte `at` of the span, which is open as `fd`.
 * @throws StageError IMAGE_INVALID when the file ends before; WorkStopped when nobody writes it any
 * more
 */
export function readExactly(fd: number, read: { span: Span; into: Buffer; at: number }): void {
  const { span, into, at } = read;
  if (span.growth) awaitGrowth(span.growth, span.offset + at + into.length);
  try {
    const filled = readFully(fd, into, span.offset + at);
    if (filled < into.length) throw endsEarly(span, at + filled);
  } catch (error) {
    throw fromSystemError(error, `read ${printable(span.path)}`);
  }
}
