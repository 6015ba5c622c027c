import type { CommandLine } from "./options.js";
import { runFromLine } from "./run-from-line.js";

/** `stage-rootfs run IMAGE -- CMD…`: ends with CMD's own status. */
export async function runCommand(line: CommandLine): Promise<number> {
  return await runFromLine(line, {});
}
