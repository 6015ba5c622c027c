/**
 * What an unpacked layer says of every path of its tree, for checking the tree later: two files
 * beside it. `listing` tells in order what was put where, `digests` has the digest of each file's
 * content in the same order. Both only grow while the layer is unpacked, so that neither takes
 * memory for each entry.
 */

/** By what the content of files is hashed. */
export type FileDigestAlgorithm = "sha256" | "crc32";

/** `none`: only sizes are on record. */
export type FileDigests = FileDigestAlgorithm | "none";

/** A checksum finds damage and mistakes, and unlike SHA-256 it costs next to nothing. */
export const usualFileDigests: FileDigests = "crc32";

/** Length of a digest in bytes. */
export const digestLength: Readonly<Record<FileDigestAlgorithm, number>> = { sha256: 32, crc32: 4 };

/** Where a layer's listing lies: in the directory that has its tree. */
export interface ListingPlace {
  readonly directory: string;
  readonly digests: FileDigests;
}

export function listingFile(directory: string): string {
  return `${directory}/listing`;
}

export function digestsFile(directory: string): string {
  return `${directory}/digests`;
}

/** What a layer's record says of its listing. */
export interface ListingSummary {
  readonly digests: FileDigests;
  /** SHA-256 of each of the two files, in hex; null for one that is not written. */
  readonly hashes: { readonly listing: string; readonly digests: string | null };
}

/** Owner, mode and time of what stands at a path. */
export interface ListedMetadata {
  /** Permission bits, with setuid, setgid and sticky. */
  readonly mode: number;
  /** 0:0 stands for the owner that the listing's first line names. */
  readonly uid: number;
  readonly gid: number;
  /** Seconds since 1970. */
  readonly mtime: number;
}
