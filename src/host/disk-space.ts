import { statfsSync } from "node:fs";

/** What a file system has. Of one that does not count inodes, they are as many as can be. */
export interface DiskSpace {
  /** In bytes. */
  readonly total: number;
  /** In bytes, for users other than root. */
  readonly free: number;
  readonly freeInodes: number;
}

/** @throws errors of the file system */
export function diskSpace(path: string): DiskSpace {
  const { bsize, blocks, bavail, files, ffree } = statfsSync(path);
  const freeInodes = files === 0 ? Number.MAX_SAFE_INTEGER : ffree;
  return { total: bsize * blocks, free: bsize * bavail, freeInodes };
}
