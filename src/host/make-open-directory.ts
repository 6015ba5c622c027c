import { chmodSync, mkdirSync } from "node:fs";

/** Makes a directory, and those above it, that others may enter, whatever the umask says. */
export function makeOpenDirectory(path: string): void {
  mkdirSync(path, { recursive: true });
  chmodSync(path, 0o755);
}
