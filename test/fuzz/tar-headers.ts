import { blockSize } from "../../src/oci/tar/header.js";

/** Where blocks are whose checksum is right. */
export function headersOf(archive: Buffer): readonly number[] {
  const found: number[] = [];
  for (let at = 0; at + blockSize <= archive.length; at += blockSize) {
    const stated = Number.parseInt(archive.toString("latin1", at + 148, at + 156), 8);
    if (stated > 256 && stated === checksum(archive, at)) found.push(at);
  }
  return found;
}

function checksum(archive: Buffer, at: number): number {
  let sum = 8 * 32;
  for (let i = 0; i < blockSize; i++) {
    if (i < 148 || i >= 156) sum += archive[at + i] ?? 0;
  }
  return sum;
}

/** Puts the right checksum into the header at `at`, in place. */
export function repaired(archive: Buffer, at: number): Buffer {
  archive.write(`${checksum(archive, at).toString(8).padStart(6, "0")}\0 `, at + 148, "latin1");
  return archive;
}

/** The name in the header at `at`, its prefix left out. */
export function nameAt(archive: Buffer, at: number): string {
  return archive.toString("latin1", at, at + 100).replace(/\0.*$/s, "");
}
