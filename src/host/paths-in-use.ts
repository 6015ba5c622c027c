import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { unlessHidden } from "./unless-hidden.js";

/**
 * Texts that name the directories which running processes have mounted, or have as their root or
 * working directory: lines of proc_pid_mountinfo(5), whose fourth field is what a bind mount shows,
 * and the targets of `/proc/PID/root` and `/proc/PID/cwd`. Of other users' processes only root sees
 * all, and of other PID namespaces nobody sees any.
 */
export function* pathsInUse(): Generator<string> {
  const seen = new Set<string>();
  for (const pid of readdirSync("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    for (const link of ["root", "cwd"]) {
      const path = unlessHidden(() => readlinkSync(`/proc/${pid}/${link}`));
      if (path !== undefined && path !== "/") yield path;
    }
    // Most processes share their mounts with others.
    const namespace = unlessHidden(() => readlinkSync(`/proc/${pid}/ns/mnt`));
    if (namespace !== undefined && seen.has(namespace)) continue;
    const mounts = unlessHidden(() => readFileSync(`/proc/${pid}/mountinfo`, "utf8"));
    if (mounts === undefined) continue;
    if (namespace !== undefined) seen.add(namespace);
    yield* mounts.split("\n");
  }
}
