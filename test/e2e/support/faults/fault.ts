import { copyFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { inject } from "vitest";

/** What is to go wrong in a run of the program, and where. */
export interface Fault {
  /** A signal that the program sends itself, or an errno that a system call fails with. */
  readonly what: "SIGKILL" | "SIGSTOP" | "ENOSPC" | "EDQUOT" | "EIO";
  /**
   * Of which calls: a pattern for `CALL PATH`, as in `rename tmp/a -> layers/b`, paths being below
   * the cache's `v1`. Any that changes something in the cache unless given.
   */
  readonly step?: RegExp | undefined;
  /** At which of these calls, from 1, in any one thread. Default: 1. */
  readonly nth?: number | undefined;
  /** Default: before. */
  readonly when?: "before" | "after" | undefined;
  /** File that the program makes then, and as long as it is there all that takes room fails too. */
  readonly lasting?: string | undefined;
  /** File that gets a line for each call. */
  readonly log?: string | undefined;
}

/** The environment in which a run of the program on the cache meets that fault. */
export function withFault(cacheDir: string, fault: Fault): Record<string, string> {
  const { step, nth = 1, when = "before", ...rest } = fault;
  const told = { ...rest, root: cacheDir, nth, when, step: step?.source };
  return { NODE_OPTIONS: `--require ${preload()}`, FAULT: JSON.stringify(told) };
}

let copied: string | undefined;

/** Where every user can read it. */
function preload(): string {
  if (copied === undefined) {
    copied = `${inject("packageDir")}/faults-${process.pid}.cjs`;
    copyFileSync(fileURLToPath(new URL("preload.cjs", import.meta.url)), copied);
  }
  return copied;
}
