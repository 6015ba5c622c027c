import { renameSync, rmSync, writeFileSync } from "node:fs";

let count = 0;

export interface WriteOptions {
  /** Whether the new one is on the disk before it takes the old one's place. Default: false. */
  readonly flush?: boolean | undefined;
}

/** Writes a JSON file so that readers see the old one or the new one, and never a part. */
export function writeJsonAtomically(
  path: string,
  value: unknown,
  { flush = false }: WriteOptions = {},
): void {
  const temporary = `${path}.${process.pid}-${count++}.tmp`;
  try {
    writeFileSync(temporary, `${JSON.stringify(value)}\n`, { flag: "wx", mode: 0o600, flush });
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}
