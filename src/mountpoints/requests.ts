import { StageError } from "../errors.js";
import { printable } from "../host/byte-string.js";
import type { MountRequest } from "./mount-point.js";

const directories = ["/proc", "/dev", "/sys", "/tmp", "/run", "/var/tmp"];
const files = ["/etc/resolv.conf", "/etc/hosts", "/etc/hostname", "/etc/passwd", "/etc/group"];

export interface StandardMounts {
  /** The image's WorkingDir, absolute; null where it has none. */
  readonly workingDir: string | null;
  /** Whether the host's Nix store is to be mounted. */
  readonly nixStore: boolean;
}

/** The mount points that every sandbox may need. */
export function standardMountRequests(options: StandardMounts): readonly MountRequest[] {
  const { workingDir, nixStore } = options;
  return [
    ...directories.map((target) => ({ target, kind: "dir" }) as const),
    ...files.map((target) => ({ target, kind: "file" }) as const),
    ...(nixStore ? [{ target: "/nix/store", kind: "dir" } as const] : []),
    ...(workingDir !== null && workingDir !== "/" && !isOnFile(workingDir)
      ? [{ target: checkMountTarget(workingDir), kind: "dir" } as const]
      : []),
  ];
}

/** Whether a WorkingDir is one of the standard files, or below one: nothing can start there. */
function isOnFile(workingDir: string): boolean {
  return files.some((file) => workingDir === file || workingDir.startsWith(`${file}/`));
}

/**
 * Parses `TARGET[:dir|file]`, the argument of `--mount`.
 * @throws StageError USAGE
 */
export function parseMountRequest(text: string): MountRequest {
  const match = /^(.*?)(?::(dir|file))?$/s.exec(text);
  const [, target = "", kind] = match ?? [];
  return {
    target: checkMountTarget(target),
    kind: kind === "dir" || kind === "file" ? kind : "any",
  };
}

/**
 * A mount target in one spelling: absolute, without empty or `.` parts.
 * @throws StageError USAGE
 */
export function checkMountTarget(target: string): string {
  const parts = target.split("/").filter((part) => part !== "" && part !== ".");
  const doubt = !target.startsWith("/")
    ? "is not absolute"
    : parts.length === 0
      ? "is the root itself"
      : parts.includes("..") || target.includes("\0")
        ? "is not a plain path"
        : undefined;
  if (doubt === undefined) return `/${parts.join("/")}`;
  throw new StageError("USAGE", `the mount target "${printable(target)}" ${doubt}`, {
    hint: "give an absolute path inside the image, for instance /data",
  });
}
