import { readFileSync } from "node:fs";

/**
 * The process's file mode creation mask. Read from /proc (Linux 4.7 and later), because
 * process.umask() has to set it to read it, which other threads would see.
 */
export function currentUmask(): number {
  const status = readFileSync("/proc/self/status", "latin1");
  const octal = /^Umask:\s*([0-7]+)$/m.exec(status)?.[1];
  return octal === undefined ? 0o777 : Number.parseInt(octal, 8);
}
