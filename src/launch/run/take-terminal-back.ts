import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { statFields } from "../../host/stat-fields.js";
import { findProgram } from "../find-program.js";

/** Have the terminal on standard input belong to the process group that they run in. */
const programs: readonly (readonly [name: string, ...words: string[]])[] = [
  ["perl", "-MPOSIX", "-e", '$SIG{TTOU} = "IGNORE"; tcsetpgrp(0, getpgrp())'],
  [
    "python3",
    "-c",
    "import os, signal; signal.signal(signal.SIGTTOU, signal.SIG_IGN); os.tcsetpgrp(0, os.getpgrp())",
  ],
];

/**
 * Takes the terminal back after a shell in a sandbox had it: that shell can't give it back itself, for
 * it has no number for a process group outside. An interactive shell of the host does without this; in
 * a script, whoever reads from the terminal next would be stopped. Needs perl or python3.
 */
export function takeTerminalBack(): void {
  if (isInForeground()) return;
  for (const [name, ...words] of programs) {
    const program = findProgram(name, process.env["PATH"]);
    const stdio = ["inherit", "ignore", "ignore"] as const;
    if (program && spawnSync(program, words, { stdio: [...stdio] }).status === 0) return;
  }
}

/** By proc(5), /proc/PID/stat: the process group, and the foreground one of the terminal. */
function isInForeground(): boolean {
  const [, , group, , , foreground] = statFields(readFileSync("/proc/self/stat", "latin1"));
  return group === foreground;
}
