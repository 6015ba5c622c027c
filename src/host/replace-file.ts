import { closeSync, fchmodSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { uniqueWord } from "./unique-word.js";

export interface WriteOptions {
  /** Whether the new one is on the disk before it takes the old one's place. Default: false. */
  readonly flush?: boolean | undefined;
  /** The new one's path until it is complete, on the same disk. Default: beside the old one. */
  readonly temporary?: string | undefined;
}

/**
 * Writes a file so that readers see the old one or the new one, and never a part. Everybody may
 * read it who may enter the directory.
 */
export function replaceFile(
  { path, content }: { readonly path: string; readonly content: string | Uint8Array },
  { flush = false, temporary = `${path}.${uniqueWord()}.tmp` }: WriteOptions = {},
): void {
  try {
    const fd = openSync(temporary, "wx", 0o600);
    try {
      // Not by opening it: the umask may be against it.
      fchmodSync(fd, 0o644);
      writeFileSync(fd, content, { flush });
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}
