import type { ByteString } from "../../host/byte-string.js";
import type { FileDigestAlgorithm, ListedMetadata } from "./listing.js";

/** What stands at a path according to a listing. Names of one file have the same object. */
export type ListedNode = ListedDirectory | ListedFile | ListedSymlink;

interface Listed extends ListedMetadata {
  mode: number;
  uid: number;
  gid: number;
  mtime: number;
}

export interface ListedDirectory extends Listed {
  readonly kind: "directory";
  readonly children: Map<ByteString, ListedNode>;
}

export interface ListedFile extends Readonly<Listed> {
  readonly kind: "file";
  /** The layer's tree that has it; undefined for what no layer has. */
  readonly tree: string | undefined;
  /** In bytes. */
  readonly size: number;
  /** By what its content can be known; undefined where only the size is. */
  readonly digest: FileDigest | undefined;
}

export interface ListedSymlink extends Readonly<Listed> {
  readonly kind: "symlink";
  /** The layer's tree that has it. */
  readonly tree: string;
  readonly target: ByteString;
}

/** A digest in a table of many. */
export interface FileDigest {
  readonly algorithm: FileDigestAlgorithm;
  readonly table: Buffer;
  /** Which one of the table. */
  readonly index: number;
}

export function newDirectory(metadata: ListedMetadata): ListedDirectory {
  const { mode, uid, gid, mtime } = metadata;
  return { kind: "directory", mode, uid, gid, mtime, children: new Map() };
}
