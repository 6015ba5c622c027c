import { type TarEntry, TarReader, type TarSource } from "../../src/oci/tar/reader.js";

export interface ReadMember {
  readonly entry: TarEntry;
  readonly content: Buffer;
}

/** Bytes in memory as a source, handed out in pieces of at most `piece` bytes. */
export function memorySource(bytes: Buffer, piece = 100): TarSource {
  let at = 0;
  const take = (length: number) => {
    const taken = bytes.subarray(at, at + length);
    at += taken.length;
    return taken;
  };
  return {
    read: take,
    readSome: (most) => take(Math.min(most, piece)),
    skip: (length) => take(length).length,
  };
}

/** Every member of an archive with its content. */
export function readMembers(source: TarSource): ReadMember[] {
  const found: ReadMember[] = [];
  const reader = new TarReader(source);
  for (let entry = reader.next(); entry; entry = reader.next()) {
    const pieces: Buffer[] = [];
    for (let piece = reader.content(); piece.length > 0; piece = reader.content()) {
      pieces.push(Buffer.from(piece));
    }
    found.push({ entry, content: Buffer.concat(pieces) });
  }
  return found;
}

/** The members of an archive in memory, without their contents. */
export function readEntries(bytes: Buffer): TarEntry[] {
  const reader = new TarReader(memorySource(bytes));
  const found: TarEntry[] = [];
  for (let entry = reader.next(); entry; entry = reader.next()) found.push(entry);
  return found;
}
