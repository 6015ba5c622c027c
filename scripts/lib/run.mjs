// @ts-check
/** Starting other programs and waiting for them. None of them gets the terminal's stdin. */
import { spawnSync } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { constants as osConstants } from "node:os";
import { join } from "node:path";
import { MODULES, ROOT } from "./paths.mjs";
import { ScriptError } from "./script.mjs";

/**
 * @typedef {object} RunOptions
 * @property {string} [cwd] the root of the checkout unless given
 * @property {NodeJS.ProcessEnv} [env]
 */

/**
 * Runs a program that shares our stdout and stderr; gives its exit status, 128+N for signal N.
 * @param {readonly [string, ...string[]]} argv
 * @param {RunOptions} [options]
 */
export function run(argv, options = {}) {
  return spawn(argv, "inherit", options).status;
}

/**
 * Runs a program and keeps both of its streams.
 * @param {readonly [string, ...string[]]} argv
 * @param {RunOptions} [options]
 */
export function probe(argv, options = {}) {
  return spawn(argv, ["ignore", "pipe", "pipe"], options);
}

/**
 * @param {readonly [string, ...string[]]} argv
 * @param {import("node:child_process").StdioOptions} stdio
 * @param {RunOptions} options
 */
function spawn([program, ...args], stdio, { cwd = ROOT, env = process.env }) {
  const result = spawnSync(program, args, {
    cwd,
    env,
    stdio: stdio === "inherit" ? ["ignore", "inherit", "inherit"] : stdio,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  if (result.error) {
    throw new ScriptError(`${program} could not be started: ${result.error.message}`);
  }
  const signal = result.signal === null ? 0 : osConstants.signals[result.signal];
  return {
    status: result.status ?? 128 + signal,
    stdout: result.stdout ?? "",
    stderr: result.stderr ?? "",
  };
}

/**
 * The search path without this checkout's node_modules/.bin, which npm puts first: a package
 * there brings a Node of its own, and whoever says `node` here means the machine's.
 */
export function machinePath() {
  const { PATH = "/usr/local/bin:/usr/bin:/bin" } = process.env;
  const bin = join(MODULES, ".bin");
  return PATH.split(":").filter((directory) => directory !== bin);
}

/**
 * The first executable of that name on the search path, or undefined.
 * @param {string} name
 * @param {readonly string[]} [directories]
 */
export function which(name, directories = machinePath()) {
  return directories
    .filter((directory) => directory.startsWith("/"))
    .map((directory) => join(directory, name))
    .find(isExecutable);
}

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
