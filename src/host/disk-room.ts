import { statfsSync } from "node:fs";

/** Room on a disk, which has, needs or lacks it. */
export interface Room {
  readonly bytes: number;
  /** Files, directories and links: each takes one. */
  readonly inodes: number;
}

export const noRoom: Room = { bytes: 0, inodes: 0 };

/**
 * What a user of this process's kind may still take of the disk that `directory` is on: root may
 * take what the disk keeps for root. Quotas of users are not in it, for the kernel does not say.
 * @throws errors of the file system
 */
export function freeRoom(directory: string): Room {
  const { bsize, blocks, bfree, bavail, files, ffree } = statfsSync(directory);
  const free = process.geteuid?.() === 0 ? bfree : bavail;
  // Where there is no limit, as of inodes on btrfs and of anything on ramfs, it says that it has none
  // at all.
  return {
    bytes: blocks === 0 ? Number.POSITIVE_INFINITY : free * bsize,
    inodes: files === 0 ? Number.POSITIVE_INFINITY : ffree,
  };
}

export function sumOf(rooms: Iterable<Room>): Room {
  const sum = { bytes: 0, inodes: 0 };
  for (const { bytes, inodes } of rooms) {
    sum.bytes += bytes;
    sum.inodes += inodes;
  }
  return sum;
}

/** What is left of `room` without `taken`; never less than nothing. */
export function without(room: Room, taken: Room): Room {
  return {
    bytes: Math.max(0, room.bytes - taken.bytes),
    inodes: Math.max(0, room.inodes - taken.inodes),
  };
}

export function isNone({ bytes, inodes }: Room): boolean {
  return bytes === 0 && inodes === 0;
}
