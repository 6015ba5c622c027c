import { spawnSync } from "node:child_process";
import { findProgram } from "./find-program.js";
import type { RuntimeName } from "./runtime.js";

/**
 * What a runtime's first process gets when this process is gone: bwrap sees to that itself, and the
 * clients of podman and docker hand on what they can catch.
 */
const signals: Readonly<Record<RuntimeName, "KILL" | "TERM" | undefined>> = {
  bwrap: undefined,
  apptainer: "KILL",
  podman: "TERM",
  docker: "TERM",
  native: "KILL",
};

/**
 * Words to put before a command so that it does not outlive this process; none where util-linux is
 * older than 2.33 or missing.
 */
export function dyingWithUs(runtime: RuntimeName): readonly string[] {
  const signal = signals[runtime];
  const setpriv = findProgram("setpriv", process.env["PATH"]);
  if (signal === undefined || setpriv === undefined) return [];
  const words = [setpriv, "--pdeathsig", signal];
  const { status } = spawnSync(setpriv, [...words.slice(1), "--", setpriv, "--version"], {
    stdio: "ignore",
  });
  return status === 0 ? [...words, "--"] : [];
}
