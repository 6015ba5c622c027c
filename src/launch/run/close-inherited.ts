import { closeSync, readdirSync, readFileSync } from "node:fs";
import { errnoOf } from "../../errors.js";

const closeOnExec = 0o2000000;

/**
 * Closes the descriptors that this process was started with, but for the standard ones: the sandbox
 * would inherit them, and one of a directory would lead out of it. What Node itself has opened is
 * closed on exec, and so can be told apart.
 */
export function closeInherited(): void {
  for (const name of readdirSync("/proc/self/fd")) {
    const fd = Number(name);
    if (fd > 2 && isInheritable(fd)) closeSync(fd);
  }
}

function isInheritable(fd: number): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "latin1"));
    return flags?.[1] !== undefined && (Number.parseInt(flags[1], 8) & closeOnExec) === 0;
  } catch (error) {
    // The descriptor that the directory was read with is gone.
    if (errnoOf(error) === "ENOENT") return false;
    throw error;
  }
}
