import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { makeScratchDir } from "./places.js";
import { findProgram, type Program } from "./programs.js";

/** Programs that come first on PATH: scripts that count their calls, then are what they are called. */
export class CountedPrograms {
  readonly directory = makeScratchDir("programs", { mode: 0o755 });
  readonly #logs = join(this.directory, "logs");

  constructor() {
    mkdirSync(this.#logs);
    chmodSync(this.#logs, 0o1777);
    onTestFinished(() => rmSync(this.directory, { recursive: true, force: true }));
  }

  /** The environment in which they are found. */
  get env(): Readonly<Record<string, string>> {
    return { PATH: `${this.directory}:${process.env["PATH"] ?? ""}` };
  }

  /** The real program, as long as there is no file `broken`; then it says so and fails. */
  wrap(name: Program & ("bwrap" | "podman" | "apptainer")): void {
    const program = findProgram(name) ?? "/nowhere";
    this.#write(
      name,
      `test -e '${this.directory}/broken' && { echo 'it hurts' >&2; exit 3; }; exec ${program} "$@"`,
    );
  }

  /** A program that has a version, and is good for nothing. */
  makeUseless(name: string): void {
    this.#write(name, 'test "$1" = --version && exec echo 9.9.9; echo "no use" >&2; exit 9');
  }

  setBroken(isBroken: boolean): void {
    const mark = join(this.directory, "broken");
    if (isBroken) writeFileSync(mark, "");
    else rmSync(mark);
  }

  /** How often one was called. */
  calls(name: string): number {
    const log = join(this.#logs, name);
    return existsSync(log) ? readFileSync(log, "utf8").length : 0;
  }

  #write(name: string, script: string): void {
    const path = join(this.directory, name);
    writeFileSync(path, `#!/bin/sh\nprintf . >>'${this.#logs}/${name}'\n${script}\n`);
    chmodSync(path, 0o755);
  }
}
