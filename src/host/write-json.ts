import { renameSync, rmSync, writeFileSync } from "node:fs";

let count = 0;

/** Writes a JSON file so that readers see the old one or the new one, and never a part. */
export function writeJsonAtomically(path: string, value: unknown): void {
  const temporary = `${path}.${process.pid}-${count++}.tmp`;
  try {
    writeFileSync(temporary, `${JSON.stringify(value)}\n`, { flag: "wx", mode: 0o600 });
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}
