import type { TreeEntry } from "./tree.js";
import { type UserKind, userFor } from "./users.js";

const SETUID_AND_SETGID = 0o6000;

/**
 * What stage-rootfs makes of an image, before it adds mount points, given what a faithful unpacking
 * by root makes of it: no devices, fifos and sockets; no setuid and setgid bits; and for an ordinary
 * user everything is their own, with directories that they can always delete from.
 */
export function asStaged(faithful: readonly TreeEntry[], kind: UserKind): TreeEntry[] {
  const made = faithful.filter((entry) => ["file", "dir", "symlink"].includes(entry.kind));
  return made.map((entry) => ({
    ...entry,
    ...(kind === "ordinary" ? userFor(kind) : {}),
    mode: stagedMode(entry, kind),
  }));
}

function stagedMode(entry: TreeEntry, kind: UserKind): string {
  const mode = Number.parseInt(entry.mode, 8) & ~SETUID_AND_SETGID;
  const staged = kind === "ordinary" && entry.kind === "dir" ? mode | 0o700 : mode;
  return entry.kind === "symlink" ? entry.mode : staged.toString(8).padStart(4, "0");
}
