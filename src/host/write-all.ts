import { writeSync } from "node:fs";

/** Writes all of `piece`, in as many calls as it takes. */
export function writeAll(fd: number, piece: Buffer): void {
  let written = writeSync(fd, piece);
  while (written < piece.length) written += writeSync(fd, piece, written);
}
