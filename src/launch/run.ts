import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import { Readable } from "node:stream";
import { finished } from "node:stream/promises";
import { StageError } from "../errors.js";
import { closeInherited } from "./close-inherited.js";
import type { LaunchCommand } from "./launch-command.js";
import { childrenOf } from "./process-tree.js";

/** The signals that are meant for what runs in the sandbox. */
const passedOn: readonly NodeJS.Signals[] = [
  "SIGHUP",
  "SIGINT",
  "SIGQUIT",
  "SIGTERM",
  "SIGUSR1",
  "SIGUSR2",
  "SIGWINCH",
  "SIGCONT",
];

const statusFd = 3;

/**
 * Runs a bwrap command with this process's standard streams, passes signals on to what runs in the
 * sandbox, and waits for it. The sandbox dies with this process.
 * @returns the command's exit status; 128 + N when signal N killed it
 * @throws StageError SANDBOX when the sandbox could not be started
 */
export async function runBwrap({ argv, env }: LaunchCommand): Promise<number> {
  const [program, ...options] = argv;
  closeInherited();
  // In a session of its own a signal from the terminal reaches the command once, through us, and
  // not bwrap, which would die of it and take the command along.
  const child = spawn(program, ["--json-status-fd", String(statusFd), ...options], {
    env,
    stdio: ["inherit", "inherit", "inherit", "pipe"],
    detached: true,
  });
  const status = new StatusReader(child);
  const passing = passSignals(status);
  try {
    const { code, signal } = await ended(child, program);
    const report = await status.finished;
    if (report.exitCode !== undefined) return report.exitCode;
    if (signal) return 128 + constants.signals[signal];
    // A signal that was passed on before the command had begun.
    if (code !== null && passing.sent.some((sent) => code === 128 + constants.signals[sent])) {
      return code;
    }
    throw new StageError("SANDBOX", `bwrap could not start the sandbox (exit status ${code})`, {
      hint: "bwrap's own message stands above; try the printed command: stage-rootfs command IMAGE",
    });
  } finally {
    passing.stop();
  }
}

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

function ended(child: ChildProcess, program: string): Promise<Ended> {
  return new Promise((resolve, reject) => {
    child.once("error", (cause) => {
      reject(new StageError("SANDBOX", `cannot start ${program}: ${cause.message}`, { cause }));
    });
    child.once("close", (code, signal) => resolve({ code, signal }));
  });
}

/** Reads what bwrap reports on its status descriptor: JSON objects, one per event. */
class StatusReader {
  readonly #child: ChildProcess;
  /** Settles when the sandbox is gone. */
  readonly finished: Promise<{ readonly exitCode: number | undefined }>;
  #text = "";

  constructor(child: ChildProcess) {
    this.#child = child;
    this.finished = this.#read();
  }

  /** PID of the sandbox's first process, bwrap's own; undefined until it is known. */
  get firstPid(): number | undefined {
    return this.#number("child-pid");
  }

  async #read(): Promise<{ readonly exitCode: number | undefined }> {
    const stream = this.#child.stdio[statusFd];
    if (!(stream instanceof Readable)) return { exitCode: undefined };
    stream.setEncoding("utf8");
    stream.on("data", (chunk: string) => {
      this.#text += chunk;
    });
    await finished(stream);
    return { exitCode: this.#number("exit-code") };
  }

  #number(name: string): number | undefined {
    const digits = new RegExp(`"${name}"\\s*:\\s*(\\d+)`).exec(this.#text)?.[1];
    return digits === undefined ? undefined : Number(digits);
  }
}

/**
 * Passes signals on to the command itself: bwrap's first process in the sandbox is its init, and the
 * command is that one's child.
 */
function passSignals(status: StatusReader): {
  readonly sent: readonly NodeJS.Signals[];
  readonly stop: () => void;
} {
  const sent: NodeJS.Signals[] = [];
  const waiting: NodeJS.Signals[] = [];
  const deliver = () => {
    const command = status.firstPid === undefined ? undefined : childrenOf(status.firstPid)[0];
    if (command === undefined) return;
    for (const signal of waiting.splice(0)) {
      sent.push(signal);
      kill(command, signal);
    }
  };
  // Signals that come before the command has been started wait for it.
  const timer = setInterval(() => waiting.length > 0 && deliver(), 10);
  const pass = (signal: NodeJS.Signals) => {
    waiting.push(signal);
    deliver();
  };
  for (const signal of passedOn) process.on(signal, pass);
  const stop = () => {
    clearInterval(timer);
    for (const signal of passedOn) process.off(signal, pass);
  };
  return { sent, stop };
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // It has just ended, which is what its exit status will say.
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
