import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { makeScratchDir } from "./places.js";

/**
 * A file alone in a directory, both readable by everybody, for the running test.
 * @param options.mode 0644 unless given
 * @returns its path
 */
export function settingsFile(
  name: string,
  content: string,
  options: { readonly mode?: number } = {},
): string {
  const directory = makeScratchDir("settings", { mode: 0o755 });
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const path = join(directory, name);
  writeFileSync(path, content, { mode: options.mode ?? 0o644 });
  return path;
}
