import { statfsSync } from "node:fs";

/** A kind of file system as far as it matters to a cache. */
export interface FileSystemKind {
  /** As users know it, and as mount(8) mostly calls it. */
  readonly name: string;
  /** Why a cache should not be there; undefined where nothing speaks against it. */
  readonly doubt?: "network" | "memory" | "fuse";
  /** Whether each name of a file takes an inode, not just the first. */
  readonly linksTakeInodes?: boolean;
  /** Whether files may take less room than they have content. */
  readonly mayCompress?: boolean;
}

/** By `f_type` of statfs(2): linux/magic.h, and coreutils' stat.c for what is not in the kernel. */
const kinds: ReadonlyMap<number, FileSystemKind> = new Map([
  [0x6969, { name: "nfs", doubt: "network" }],
  [0x0bd00bd0, { name: "lustre", doubt: "network" }],
  [0x47504653, { name: "gpfs", doubt: "network" }],
  [0x19830326, { name: "beegfs", doubt: "network" }],
  [0x00c36400, { name: "ceph", doubt: "network" }],
  [0xff534d42, { name: "cifs", doubt: "network" }],
  [0xfe534d42, { name: "cifs", doubt: "network" }],
  [0x517b, { name: "cifs", doubt: "network" }],
  [0x01021997, { name: "9p", doubt: "network" }],
  [0x5346414f, { name: "afs", doubt: "network" }],
  [0x6b414653, { name: "afs", doubt: "network" }],
  [0x73757245, { name: "coda", doubt: "network" }],
  [0x7461636f, { name: "ocfs2", doubt: "network" }],
  [0x01161970, { name: "gfs2", doubt: "network" }],
  [0xaad7aaea, { name: "panfs", doubt: "network" }],
  [0x20030528, { name: "orangefs", doubt: "network" }],
  [0xbeefdead, { name: "snfs", doubt: "network" }],
  [0x786f4256, { name: "vboxsf", doubt: "network" }],
  [0xbacbacbc, { name: "vmhgfs", doubt: "network" }],
  [0x65735546, { name: "fuse", doubt: "fuse" }],
  [0x01021994, { name: "tmpfs", doubt: "memory", linksTakeInodes: true }],
  [0x858458f6, { name: "ramfs", doubt: "memory" }],
  [0x9123683e, { name: "btrfs", mayCompress: true }],
  [0x2fc12fc1, { name: "zfs", mayCompress: true }],
  [0xca451a4e, { name: "bcachefs", mayCompress: true }],
  [0xf2f52010, { name: "f2fs", mayCompress: true }],
]);

/** The names of those on which a cache should not be. */
export const doubtfulKinds: readonly string[] = [
  ...new Set([...kinds.values()].filter(({ doubt }) => doubt).map(({ name }) => name)),
].sort();

const other: FileSystemKind = { name: "other" };

/** The kind of file system that has the number `type` in statfs(2). */
export function kindOfType(type: number): FileSystemKind {
  return kinds.get(type >>> 0) ?? other;
}

/**
 * The kind of file system that a path lies on.
 * @throws errors of the file system
 */
export function fileSystemKind(path: string): FileSystemKind {
  return kindOfType(statfsSync(path).type);
}
