import { renameSync, rmSync, writeFileSync } from "node:fs";
import { uniqueWord } from "./unique-word.js";

export interface WriteOptions {
  /** Whether the new one is on the disk before it takes the old one's place. Default: false. */
  readonly flush?: boolean | undefined;
  /** The new one's path until it is complete, on the same disk. Default: beside the old one. */
  readonly temporary?: string | undefined;
}

/** Writes a JSON file so that readers see the old one or the new one, and never a part. */
export function writeJsonAtomically(
  path: string,
  value: unknown,
  { flush = false, temporary = `${path}.${uniqueWord()}.tmp` }: WriteOptions = {},
): void {
  try {
    writeFileSync(temporary, `${JSON.stringify(value)}\n`, { flag: "wx", mode: 0o600, flush });
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}
