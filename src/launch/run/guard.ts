import { type ChildProcess, spawn } from "node:child_process";

/**
 * A shell that waits until this process is gone, however it ends, or asks for it, and then does what
 * is to be done. It runs in a session of its own: neither the terminal's keys nor what is sent to our
 * process group are for it.
 */
export class Guard {
  readonly #shell: ChildProcess;

  /**
   * @param script of a POSIX shell's builtins, where the environment has no PATH
   * @param options.args `$1` and so on
   */
  constructor(
    script: string,
    options: { readonly args: readonly string[]; readonly env: Readonly<Record<string, string>> },
  ) {
    const { args, env } = options;
    const waiting = script.replace("WAIT", "while read -r line; do :; done");
    this.#shell = spawn("/bin/sh", ["-c", waiting, "sh", ...args], {
      env,
      stdio: ["pipe", "ignore", "ignore"],
      detached: true,
    });
    this.#shell.on("error", () => undefined);
  }

  /** Has it done now; resolves when it is done. Nothing after {@link dismiss}. */
  async act(): Promise<void> {
    const { exitCode, signalCode, pid, stdin } = this.#shell;
    if (exitCode !== null || signalCode !== null || pid === undefined) return;
    const ended = new Promise<void>((resolve) => this.#shell.once("close", () => resolve()));
    stdin?.end();
    await ended;
  }

  /** There is nothing to be done any more. */
  dismiss(): void {
    this.#shell.kill("SIGKILL");
  }
}

/**
 * Kills a process when this one is gone.
 * @param options.group whether it leads a process group, all of which is meant
 */
export function guardProcess(pid: number, { group }: { readonly group: boolean }): Guard {
  const target = group ? `-${pid}` : `${pid}`;
  return new Guard(killing, { args: [String(pid), target], env: {} });
}

/**
 * Kills the processes of a name when this one is gone, also those that are only about to start.
 * @param name the beginning of their command lines, which nobody else's has
 */
export function guardName(name: string): Guard {
  return new Guard(killingByName, { args: [name], env: {} });
}

/**
 * Looks again and again, for what was under way when this process ended may have had another name at
 * first. What a process has started of itself has its name until it has one of its own.
 */
const killingByName = `WAIT
set +f
for round in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
  for process in /proc/[0-9]*; do
    line=
    read -r line <"$process/cmdline"
    case $line in "$1"*) kill -s KILL "\${process#/proc/}" ;; esac
  done
done`;

/** A PID may be another's by then: a process is known by its start time, field 22 of its stat. */
const killing = `start() {
  began=
  read -r stat <"/proc/$1/stat" || return 0
  set -f
  set -- \${stat##*) }
  began=\${20}
}
start "$1"
known=$began
WAIT
start "$1"
[ -n "$began" ] && [ "$began" = "$known" ] && kill -s KILL -- "$2"`;
