import { chownSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { removeTree } from "../../src/host/remove-tree.js";

/** An empty directory for the test that is running, removed after it. */
export function scratchDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "stage-rootfs-test-"));
  onTestFinished(() => removeTree(directory));
  return directory;
}

const nobody = 65534;

/**
 * Does `act` as a user whom permissions apply to: as it is for an ordinary user, and with another
 * effective user for root. `directory` is given to that user first.
 */
export function asOrdinaryUser(directory: string, act: () => void): void {
  if (process.geteuid?.() !== 0) {
    act();
    return;
  }
  chownSync(directory, nobody, nobody);
  process.setegid?.(nobody);
  process.seteuid?.(nobody);
  try {
    act();
  } finally {
    process.seteuid?.(0);
    process.setegid?.(0);
  }
}
