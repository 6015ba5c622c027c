import { StageError } from "../../errors.js";
import { printable } from "../../host/byte-string.js";
import { isNone, type Room } from "../../host/disk-room.js";
import { formatSize } from "../../host/format-size.js";
import { mountOf } from "../../host/mount-of.js";

/** What is known where there is no room. */
export interface Shortage {
  readonly image: string;
  readonly cacheDirectory: string;
  readonly missing: Room;
  readonly free: Room;
  /** What other stagings have reserved of that. */
  readonly reserved: Room;
  readonly reclaimable: Room | undefined;
}

/** Says how much of what is missing, on which disk, and what would help. */
export function noRoomError(shortage: Shortage): StageError {
  const { image, cacheDirectory, missing, free, reserved, reclaimable } = shortage;
  const wanted = listed(missing, (amount) => `${amount} more`);
  const left = amounts(free, missing).join(" and ");
  const taken = amounts(reserved, missing).join(" and ");
  const others = isNone(reserved) ? "" : `, ${taken} of them reserved by other stagings`;
  return new StageError(
    "NO_SPACE",
    `no room for ${printable(image)}: it needs ${wanted} on ${diskOf(cacheDirectory)}, which has ${left} left${others}`,
    { hint: hintFor(reclaimable) },
  );
}

/** The disk of a cache, for messages: `/scratch (ext4, /dev/sda2)`. */
export function diskOf(cacheDirectory: string): string {
  const disk = mountOf(cacheDirectory);
  if (!disk) return `the disk of ${printable(cacheDirectory)}`;
  const { mountPoint, type, source } = disk;
  return `${printable(mountPoint)} (${printable(type)}, ${printable(source)})`;
}

function hintFor(reclaimable: Room | undefined): string {
  const other = "choose another disk with --cache-dir";
  if (!reclaimable) return `free some space, or ${other}`;
  if (isNone(reclaimable))
    return `stage-rootfs gc could free nothing: free some space, or ${other}`;
  const given = listed(reclaimable, (amount) => amount);
  return `stage-rootfs gc could free ${given}; or ${other}`;
}

function listed({ bytes, inodes }: Room, say: (amount: string) => string): string {
  const parts = [
    ...(bytes > 0 ? [say(formatSize(bytes))] : []),
    ...(inodes > 0 ? [`${say(String(Math.ceil(inodes)))} inodes`] : []),
  ];
  return parts.join(" and ");
}

/** What there is of that which is missing. */
function amounts({ bytes, inodes }: Room, missing: Room): readonly string[] {
  return [
    ...(missing.bytes > 0 ? [formatSize(bytes)] : []),
    ...(missing.inodes > 0 ? [`${inodes} inodes`] : []),
  ];
}
