import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Makes an empty directory of the caller's where temporary files belong, by `$TMPDIR`. */
export function temporaryDirectory(): string {
  return mkdtempSync(join(tmpdir(), "stage-rootfs-"));
}
