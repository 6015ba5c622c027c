import { type ChildProcess, spawn } from "node:child_process";
import type { LaunchCommand } from "../launch-command.js";
import { openContents } from "../run/fd-files.js";

/** How a program ended that was started to see whether it works. */
export interface ProbeEnd {
  /** Null where a signal ended it, or it was not started. */
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Whether it took too long, and was killed. */
  readonly isLate: boolean;
  /** Why it could not be started at all. */
  readonly error?: Error | undefined;
}

export interface ProbeOptions {
  /** How long it may take, in milliseconds. Default: 10 s. */
  readonly patience?: number | undefined;
}

/** More than this of what it says is not kept, in characters. */
const mostText = 64 * 1024;

/** How long what a program has said may still be under way when it has ended, in milliseconds. */
const drainTime = 200;

/**
 * Runs a command to its end, in a session of its own, without input; nothing of it is seen by
 * anybody but the caller. It never fails: how it ended is the result.
 */
export function runProbe(
  { argv: [program, ...args], env, fds }: LaunchCommand,
  { patience = 10_000 }: ProbeOptions = {},
): Promise<ProbeEnd> {
  return new Promise((resolve) => {
    const said = { stdout: "", stderr: "" };
    const failed = (error: Error) =>
      resolve({ status: null, signal: null, ...said, isLate: false, error });
    let child: ChildProcess;
    try {
      const contents = openContents(fds);
      try {
        const others = [...contents.stdio].slice(3).map((file) => file ?? "ignore");
        const stdio = ["ignore" as const, "pipe" as const, "pipe" as const, ...others];
        child = spawn(program, args, { env, cwd: "/", stdio, detached: true });
      } finally {
        contents.close();
      }
    } catch (error) {
      failed(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      killSession(child);
    }, patience);
    for (const name of ["stdout", "stderr"] as const) {
      child[name]?.setEncoding("utf8").on("data", (text: string) => {
        if (said[name].length < mostText) said[name] += text;
      });
    }
    child.once("error", (error) => {
      clearTimeout(timer);
      failed(error);
    });
    child.once("exit", () => {
      clearTimeout(timer);
      // What it leaves running, as podman does, may hold its streams open.
      const drain = setTimeout(() => {
        for (const stream of child.stdio) stream?.destroy();
      }, drainTime);
      child.once("close", (status, signal) => {
        clearTimeout(drain);
        resolve({ status, signal, ...said, isLate });
      });
    });
  });
}

function killSession(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  } catch {
    // It has just ended by itself.
  }
}
