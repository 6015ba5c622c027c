import { type ChildProcess, spawn } from "node:child_process";
import { closeSync } from "node:fs";
import { BwrapStatus } from "./bwrap-status.js";
import { openContent } from "./fd-files.js";
import type { LaunchCommand } from "./launch-command.js";
import { dyingWithUs } from "./parent-death.js";
import type { Runtime } from "./runtime.js";

export interface Started {
  readonly child: ChildProcess;
  /** Of bwrap alone. */
  readonly status: BwrapStatus | undefined;
}

/**
 * Starts a command with this process's standard streams and what it reads from other descriptors.
 * @param options.terminal whether it stays in our session, with our terminal
 */
export function startCommand(
  { argv, env, fds }: LaunchCommand,
  { runtime, terminal }: { readonly runtime: Runtime; readonly terminal: boolean },
): Started {
  const statusFd = Math.max(2, ...fds.map(({ fd }) => fd)) + 1;
  const [program, ...words] = argv;
  const isBwrap = runtime.name === "bwrap";
  const [first, ...others] = isBwrap
    ? [program, "--json-status-fd", String(statusFd), ...words]
    : [...dyingWithUs(runtime.name), program, ...words];
  const stdio: ("inherit" | "ignore" | "pipe" | number)[] = ["inherit", "inherit", "inherit"];
  const opened = fds.map(({ fd, content }) => ({ fd, file: openContent(content) }));
  for (let fd = 3; fd < statusFd; fd++) {
    stdio[fd] = opened.find((each) => each.fd === fd)?.file ?? "ignore";
  }
  if (isBwrap) stdio[statusFd] = "pipe";
  try {
    // In a session of its own a signal from the terminal reaches the command once, through us, and
    // not the runtime, which would die of it and take the command along.
    const child = spawn(first ?? program, others, { env, stdio, detached: !terminal });
    return { child, status: isBwrap ? new BwrapStatus(child.stdio[statusFd]) : undefined };
  } finally {
    for (const { file } of opened) closeSync(file);
  }
}
