import { statfsSync } from "node:fs";

/** What a file system has. */
export interface DiskSpace {
  /** In bytes. */
  readonly total: number;
  /** In bytes, for users other than root. */
  readonly free: number;
}

/** @throws errors of the file system */
export function diskSpace(path: string): DiskSpace {
  const { bsize, blocks, bavail } = statfsSync(path);
  return { total: bsize * blocks, free: bsize * bavail };
}
