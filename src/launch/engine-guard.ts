import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromSystemError } from "../errors.js";
import type { LaunchCommand } from "./launch-command.js";

/**
 * Sees to it that a container ends with this process. It is no descendant of ours, but of an engine,
 * which goes on when its client dies: so a shell waits until we are gone, or ask for it, and has the
 * engine kill the container.
 */
export class EngineGuard {
  readonly #directory: string;
  readonly #program: string;
  readonly #env: Readonly<Record<string, string>>;
  #shell: ChildProcess | undefined;

  /**
   * @param program the engine's client, with the environment that it needs
   * @throws StageError where the temporary directory can't be written to
   */
  constructor(program: string, env: Readonly<Record<string, string>>) {
    this.#program = program;
    this.#env = env;
    try {
      this.#directory = mkdtempSync(join(tmpdir(), "stage-rootfs-"));
    } catch (error) {
      throw fromSystemError(error, `make a directory in ${tmpdir()}`);
    }
  }

  get #idFile(): string {
    return join(this.#directory, "id");
  }

  /** The same command, that also says which container it has made. */
  watched({ argv, ...rest }: LaunchCommand): LaunchCommand {
    const [first, ...words] = argv;
    const at = words.indexOf("run") + 1;
    return {
      ...rest,
      argv: [first, ...words.slice(0, at), "--cidfile", this.#idFile, ...words.slice(at)],
    };
  }

  watch(): void {
    this.#shell = spawn(
      "/bin/sh",
      ["-c", waiting, "sh", this.#program, this.#idFile, this.#directory],
      {
        env: this.#env,
        stdio: ["pipe", "ignore", "ignore"],
        // Neither the terminal's keys nor what is sent to our group are for it.
        detached: true,
      },
    );
    this.#shell.on("error", () => undefined);
  }

  /** Has the container killed; resolves when the engine has answered. */
  async kill(): Promise<void> {
    const shell = this.#shell;
    if (shell === undefined || shell.exitCode !== null || shell.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => shell.once("close", () => resolve()));
    shell.stdin?.end();
    await ended;
  }

  /** To be called when the container is gone. */
  dismiss(): void {
    this.#shell?.kill("SIGKILL");
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** Of builtins, for the environment need not have a PATH; what is no builtin is found without. */
const waiting = `while read -r line; do :; done
read -r id <"$2" || [ -n "$id" ] && "$1" kill --signal KILL "$id"
command -p rm -rf "$3"`;
