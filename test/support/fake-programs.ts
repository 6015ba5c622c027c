import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished, vi } from "vitest";
import { scratchDirectory } from "./scratch-directory.js";

/**
 * Programs that are shell scripts and only pretend: they come first on PATH for the test that is
 * running, and what they are called with is kept.
 */
export class FakePrograms {
  readonly directory = scratchDirectory();

  constructor() {
    const { PATH = "" } = process.env;
    vi.stubEnv("PATH", `${this.directory}:${PATH}`);
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
  }

  /** Makes a program, or another one in its place. @returns its path */
  make(name: string, script: string): string {
    const path = join(this.directory, name);
    writeFileSync(path, `#!/bin/sh\necho $@ >>'${this.#log(name)}'\n${script}\n`);
    chmodSync(path, 0o755);
    return path;
  }

  /** The arguments of each call, in order. */
  calls(name: string): readonly string[] {
    const log = this.#log(name);
    return existsSync(log) ? readFileSync(log, "utf8").trimEnd().split("\n") : [];
  }

  #log(name: string): string {
    return join(this.directory, `${name}.log`);
  }
}
