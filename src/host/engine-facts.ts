import { existsSync } from "node:fs";
import { userInfo } from "node:os";
import { type ReadIfAny, readTextIfAny } from "./read-text-if-any.js";

/** `hybrid`: version 1 has the controllers, and version 2 is mounted beside it. */
export type CgroupVersion = "v1" | "hybrid" | "v2" | "none";

/** What container engines need of a node, beside what {@link SandboxLimits} says. */
export interface EngineFacts {
  readonly cgroups: CgroupVersion;
  /** How many user IDs /etc/subuid gives to the caller. */
  readonly subordinateUids: number;
  /** How many group IDs /etc/subgid gives to the caller. */
  readonly subordinateGids: number;
  /** `$XDG_RUNTIME_DIR`, where it is a directory that exists. */
  readonly runtimeDirectory: string | undefined;
}

export function engineFacts(): EngineFacts {
  const { XDG_RUNTIME_DIR: runtimeDirectory } = process.env;
  const names = ownNames();
  return {
    cgroups: cgroupVersion(existsSync),
    subordinateUids: subordinateIds("/etc/subuid", { names, read: readTextIfAny }),
    subordinateGids: subordinateIds("/etc/subgid", { names, read: readTextIfAny }),
    runtimeDirectory:
      runtimeDirectory && existsSync(runtimeDirectory) ? runtimeDirectory : undefined,
  };
}

/** As cgroups(7) and systemd mount them. */
export function cgroupVersion(exists: (path: string) => boolean): CgroupVersion {
  if (exists("/sys/fs/cgroup/cgroup.controllers")) return "v2";
  if (exists("/sys/fs/cgroup/unified/cgroup.controllers")) return "hybrid";
  return exists("/sys/fs/cgroup/memory") || exists("/sys/fs/cgroup/cpu") ? "v1" : "none";
}

/** How many IDs a file like /etc/subuid (subuid(5)) gives to a user of any of these names. */
export function subordinateIds(
  file: string,
  { names, read }: { readonly names: readonly string[]; readonly read: ReadIfAny },
): number {
  let sum = 0;
  for (const line of (read(file) ?? "").split("\n")) {
    const [name = "", , count] = line.split(":");
    if (names.includes(name) && count !== undefined && /^\d+$/.test(count)) sum += Number(count);
  }
  return sum;
}

/** A user without an account has a number only. */
function ownNames(): readonly string[] {
  const uid = String(process.geteuid?.() ?? 0);
  try {
    return [uid, userInfo().username];
  } catch {
    return [uid];
  }
}
