import { chmodSync, lstatSync } from "node:fs";

/**
 * Lets everybody into a directory who may enter the one that it moves to. In a private cache that is
 * its owner alone, since nobody else may enter `v1`.
 */
export function openToReaders(directory: string): void {
  chmodSync(directory, 0o755);
}

/** Whether everybody may read a directory, and what it has, who may enter those above it. */
export function isOpenToReaders(directory: string): boolean {
  return (lstatSync(directory).mode & 0o005) === 0o005;
}
