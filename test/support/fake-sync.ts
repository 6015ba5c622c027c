import { writeFileSync } from "node:fs";
import { vi } from "vitest";
import { scratchDirectory } from "./scratch-directory.js";

/** Has the program `sync` be a shell script for the test that is running; none without a script. */
export function withSync(script?: string): void {
  const directory = scratchDirectory();
  if (script !== undefined) {
    writeFileSync(`${directory}/sync`, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }
  vi.stubEnv("PATH", directory);
}
