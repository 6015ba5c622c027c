import { isatty } from "node:tty";
import { StageError } from "../errors.js";
import { findShell } from "../launch/find-shell.js";
import type { CommandLine } from "./options.js";
import { runFromLine } from "./run-from-line.js";

/**
 * `stage-rootfs shell IMAGE`: the sandbox that `run` would make, with a shell in it. Without a
 * terminal the shell reads its commands from standard input.
 */
export async function shellCommand(line: CommandLine): Promise<number> {
  if (line.rest?.length) {
    throw new StageError("USAGE", "stage-rootfs shell takes no command", {
      hint: "give it to: stage-rootfs run IMAGE -- CMD, or on standard input",
    });
  }
  return await runFromLine(line, { command: findShell, terminal: isatty(0) });
}
