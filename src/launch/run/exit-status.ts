import type { ChildProcess } from "node:child_process";
import { constants } from "node:os";
import { StageError } from "../../errors.js";
import type { RuntimeName } from "../runtime.js";

/** How a runtime's own process ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** @throws StageError SANDBOX when it could not be started */
export function whenEnded(child: ChildProcess, program: string): Promise<Ended> {
  return new Promise((resolve, reject) => {
    child.once("error", (cause) => {
      reject(new StageError("SANDBOX", `cannot start ${program}: ${cause.message}`, { cause }));
    });
    child.once("close", (code, signal) => resolve({ code, signal }));
  });
}

/** What a runtime ends with when it was no command that failed; bwrap tells in another way. */
const failures: Partial<Readonly<Record<RuntimeName, number>>> = { podman: 125, docker: 125 };

/**
 * The exit status of a command as its runtime gives it on.
 * @param options.sent the signals that the command was sent
 * @throws StageError SANDBOX where it was not the command that failed
 */
export function exitStatusOf(
  { code, signal }: Ended,
  { name, sent }: { readonly name: RuntimeName; readonly sent: readonly NodeJS.Signals[] },
): number {
  if (signal !== null) return 128 + constants.signals[signal];
  // bwrap tells of each command that has begun; a signal may have come before.
  const wasStopped = sent.some((each) => code === 128 + constants.signals[each]);
  const failed = name === "bwrap" ? !wasStopped : code === failures[name];
  if (code !== null && !failed) return code;
  throw new StageError("SANDBOX", `${name} could not start the sandbox (exit status ${code})`, {
    hint: `${name}'s own message stands above; try the printed command: stage-rootfs command IMAGE`,
  });
}
