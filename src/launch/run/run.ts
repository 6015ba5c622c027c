import type { LaunchCommand } from "../launch-command.js";
import type { LaunchPlan } from "../plan.js";
import type { Runtime } from "../runtime.js";
import { closeInherited } from "./close-inherited.js";
import { SignalDelivery } from "./deliver-signals.js";
import { exitStatusOf, whenEnded } from "./exit-status.js";
import { passSignals } from "./pass-signals.js";
import { type Started, startCommand } from "./start-command.js";
import { Stopper } from "./stopper.js";
import { takeTerminalBack } from "./take-terminal-back.js";

export interface RunOptions {
  readonly runtime: Runtime;
  readonly plan: Pick<LaunchPlan, "terminal">;
  /** Seconds after which the command is ended: SIGTERM, then SIGKILL. Default: never. */
  readonly timeout?: number | undefined;
  /** Seconds from SIGTERM to SIGKILL. Default: 10. */
  readonly grace?: number | undefined;
  /** Ends the command as a timeout does. */
  readonly signal?: AbortSignal | undefined;
}

export interface RunOutcome {
  /** The command's exit status, 128 + N when signal N killed it; 124 or 137 after a timeout. */
  readonly status: number;
  /** What the timeout took to end it; null where it ended by itself. */
  readonly timedOut: "SIGTERM" | "SIGKILL" | null;
}

/**
 * Runs a command with this process's standard streams, passes signals on to what runs in the
 * sandbox, and waits for it. The sandbox dies with this process, as far as its runtime can that.
 * @throws StageError SANDBOX when the sandbox could not be started
 * @throws the signal's reason, once the command has ended, where that was aborted
 */
export async function runLaunch(command: LaunchCommand, options: RunOptions): Promise<RunOutcome> {
  const { runtime, plan, signal } = options;
  signal?.throwIfAborted();
  closeInherited();
  let started: Started | undefined;
  const delivery = new SignalDelivery(() => started?.commandPid());
  // Before the command: it may cause a signal at once.
  const stopPassing = passSignals(delivery, { terminal: plan.terminal });
  const stopper = new Stopper({
    send: (each) => delivery.send(each),
    kill: () => started?.kill(),
    grace: options.grace ?? 10,
  });
  const abort = () => stopper.stop();
  signal?.addEventListener("abort", abort);
  try {
    started = startCommand(command, { runtime, terminal: plan.terminal });
    if (options.timeout) stopper.stopAfter(options.timeout);
    const ended = await whenEnded(started.child, command.argv[0]);
    const exitCode = await started.exitCode();
    signal?.throwIfAborted();
    if (stopper.sent === "SIGKILL") return { status: 137, timedOut: "SIGKILL" };
    if (stopper.sent === "SIGTERM") return { status: 124, timedOut: "SIGTERM" };
    const { name } = runtime;
    return {
      status: exitCode ?? exitStatusOf(ended, { name, sent: delivery.sent }),
      timedOut: null,
    };
  } finally {
    signal?.removeEventListener("abort", abort);
    stopper.done();
    delivery.stop();
    stopPassing();
    await started?.close();
    if (plan.terminal) takeTerminalBack();
  }
}
