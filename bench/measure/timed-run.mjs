// @ts-check
/** Running one program and measuring it: wall time, processor time and memory. */
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { probe, which } from "../../scripts/lib/run.mjs";

/**
 * @typedef {object} Command
 * @property {readonly [string, ...string[]]} argv
 * @property {Readonly<Record<string, string>>} [env] on top of the bench's own
 */

/** @typedef {import("../report/results.mjs").Sample} Sample */

/** Longer than anything here takes, in ms. */
const TOO_LONG = 15 * 60 * 1000;

/** GNU time, which tells the processor time and the memory of a program; undefined without it. */
export const gnuTime = findGnuTime();

/**
 * Runs a program to its end. The peak of memory is that of its largest process, the processor time
 * that of all its processes.
 * @param {Command} command
 * @param {string} scratch a directory for a file of ours
 * @returns {{ sample: Sample } | { failure: string }} the failure in one line
 */
export function timedRun({ argv, env }, scratch) {
  const file = join(scratch, "time");
  const [program, ...args] = gnuTime ? [gnuTime, "-o", file, "-f", "%U %S %M", ...argv] : argv;
  const start = performance.now();
  const result = spawnSync(program, args, {
    cwd: scratch,
    env: { ...process.env, ...env },
    stdio: ["ignore", "ignore", "pipe"],
    encoding: "utf8",
    timeout: TOO_LONG,
    maxBuffer: 64 * 1024 * 1024,
  });
  const seconds = (performance.now() - start) / 1000;
  if (result.error) {
    return { failure: result.error.message };
  }
  if (result.status !== 0) {
    return { failure: lastLine(result.stderr) || `status ${result.status ?? result.signal}` };
  }
  if (gnuTime === undefined) {
    return { sample: { seconds, cpuSeconds: null, peakMiB: null } };
  }
  const [user = 0, system = 0, kibibytes = 0] = readFileSync(file, "utf8").split(" ").map(Number);
  rmSync(file);
  return { sample: { seconds, cpuSeconds: user + system, peakMiB: kibibytes / 1024 } };
}

function findGnuTime() {
  const path = which("time");
  return path !== undefined && probe([path, "--version"]).stdout.includes("GNU") ? path : undefined;
}

/** @param {string} text */
function lastLine(text) {
  return text.trim().split("\n").at(-1) ?? "";
}
