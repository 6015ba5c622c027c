import { spawnSync } from "node:child_process";
import { findProgram } from "./find-program.js";

/**
 * Words to put before a command so that it is killed when this process is gone; none where
 * util-linux is older than 2.33 or missing.
 */
export function dyingWithUs(): readonly string[] {
  const setpriv = findProgram("setpriv", process.env["PATH"]);
  if (setpriv === undefined) return [];
  const options = ["--pdeathsig", "KILL", "--"];
  const { status } = spawnSync(setpriv, [...options, setpriv, "--version"], { stdio: "ignore" });
  return status === 0 ? [setpriv, ...options] : [];
}
