// @ts-check
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, release, totalmem } from "node:os";

/**
 * The machine, as far as figures depend on it.
 * @param {string} fileSystem where it was measured
 * @returns {import("./report/results.mjs").Machine}
 */
export function describeMachine(fileSystem) {
  const osRelease = readFileSync("/etc/os-release", "utf8");
  return {
    processor: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    memory: totalmem(),
    kernel: release(),
    system: /^PRETTY_NAME="?([^"\n]*)/m.exec(osRelease)?.[1] ?? "Linux",
    fileSystem,
  };
}
