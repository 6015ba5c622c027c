import { rmSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "../../host/temporary-directory.js";
import type { LaunchCommand } from "../launch-command.js";
import { Guard } from "./guard.js";

/**
 * Sees to it that a container ends with this process. It is no descendant of ours, but of an engine,
 * which goes on when its client dies: so a guard has the engine kill the container.
 */
export class EngineGuard {
  readonly #directory: string;
  readonly #program: string;
  readonly #env: Readonly<Record<string, string>>;
  #guard: Guard | undefined;

  /**
   * @param program the engine's client, with the environment that it needs
   * @throws StageError where the temporary directory can't be written to
   */
  constructor(program: string, env: Readonly<Record<string, string>>) {
    this.#program = program;
    this.#env = env;
    this.#directory = temporaryDirectory();
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

  /** @param client PID of the engine's client, which is killed too */
  watch(client: number): void {
    const args = [this.#program, this.#idFile, this.#directory, String(client)];
    this.#guard = new Guard(killing, { args, env: this.#env });
  }

  /** Has the container killed; resolves when the engine has answered. */
  async kill(): Promise<void> {
    await this.#guard?.act();
  }

  /** To be called when the container is gone. */
  dismiss(): void {
    this.#guard?.dismiss();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** The client goes first: else it might make a container yet. What is no builtin needs no PATH. */
const killing = `WAIT
[ -d "/proc/$4" ] && kill -s KILL "$4"
read -r id <"$2" || [ -n "$id" ] && "$1" kill --signal KILL "$id"
command -p rm -rf "$3"`;
