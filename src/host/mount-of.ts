import { readFileSync, realpathSync, statSync } from "node:fs";
import { isWithin } from "./is-within.js";

/** What is mounted where a path lies. */
export interface MountedDisk {
  readonly mountPoint: string;
  /** Type of the file system, with FUSE's subtype: `ext4`, `nfs4`, `fuse.sshfs`. */
  readonly type: string;
  /** A device, a server's export, or whatever else the file system goes by. */
  readonly source: string;
}

/**
 * The mount that a path lies on, by /proc/self/mountinfo (proc(5)); undefined where that can't be
 * told.
 */
export function mountOf(path: string): MountedDisk | undefined {
  try {
    const { dev } = statSync(path, { bigint: true });
    return findMount(readFileSync("/proc/self/mountinfo", "latin1"), {
      path: realpathSync(path),
      device: `${majorOf(dev)}:${minorOf(dev)}`,
    });
  } catch {
    return undefined;
  }
}

/**
 * The mount in a mountinfo file that a resolved path lies on: the nearest above it, the latest of
 * several there. One whose device is the path's comes first, for others may be hidden below it.
 */
export function findMount(
  mountinfo: string,
  { path, device }: { path: string; device: string },
): MountedDisk | undefined {
  const lines = mountinfo.split("\n").flatMap(parseMountLine);
  const ofDevice = lines.filter((mount) => mount.device === device);
  return (nearestAbove(path, ofDevice) ?? nearestAbove(path, lines))?.disk;
}

/** Of the mounts that a path lies below, the nearest; the latest of several there. */
export function nearestAbove(path: string, mounts: readonly MountLine[]): MountLine | undefined {
  return mounts
    .filter(({ disk: { mountPoint } }) => isWithin(path, mountPoint))
    .reduce<MountLine | undefined>((best, mount) => {
      return best && best.disk.mountPoint.length > mount.disk.mountPoint.length ? best : mount;
    }, undefined);
}

/** A line of a mountinfo file. */
export interface MountLine {
  /** `MAJOR:MINOR`. */
  readonly device: string;
  /** Which directory of its file system is shown. */
  readonly root: string;
  /** Whether this mount lets it be written to. */
  readonly isWritable: boolean;
  readonly disk: MountedDisk;
}

/** The mount that a line of a mountinfo file is about; none for what is no such line. */
export function parseMountLine(line: string): readonly MountLine[] {
  const [mount = "", fileSystem = ""] = line.split(" - ");
  const [, , device, root, mountPoint, options = ""] = mount.split(" ");
  const [type, source] = fileSystem.split(" ");
  if (!device || !root || !mountPoint || !type || source === undefined) return [];
  return [
    {
      device,
      root: withoutEscapes(root),
      isWritable: options.split(",").includes("rw"),
      disk: { mountPoint: withoutEscapes(mountPoint), type, source: withoutEscapes(source) },
    },
  ];
}

/** Blanks, tabs, newlines and backslashes are written in octal. */
function withoutEscapes(text: string): string {
  const bytes = text.replace(/\\([0-7]{3})/g, (_, octal: string) => {
    return String.fromCharCode(Number.parseInt(octal, 8));
  });
  return Buffer.from(bytes, "latin1").toString();
}

/** As makedev(3) puts them together. */
function majorOf(device: bigint): bigint {
  return ((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n);
}

function minorOf(device: bigint): bigint {
  return (device & 0xffn) | ((device >> 12n) & 0xffffff00n);
}
