// @ts-check
/** Calling the built `stage-rootfs` the way a user does, and reading its JSON. */
import { performance } from "node:perf_hooks";
import { CALLER_DIRECTORY, EXECUTABLE } from "../lib/paths.mjs";
import { probe } from "../lib/run.mjs";
import { ScriptError } from "../lib/script.mjs";

/**
 * @typedef {object} Staged
 * @property {string} rootfs
 * @property {boolean} hit whether it was in the cache already
 * @property {number} stagingMs as the program itself measured it
 * @property {number} processMs from the start of the process to its end
 */

/**
 * The command line that runs the build with a certain Node.
 * @param {import("../lib/node.mjs").Node} node
 * @param {readonly string[]} args
 * @returns {[string, ...string[]]}
 */
export function stageRootfs(node, args) {
  return [node.path, EXECUTABLE, ...args];
}

/**
 * Stages an image and says nothing unless that fails.
 * @param {import("../lib/node.mjs").Node} node
 * @param {readonly string[]} args the image and options, without `--json`
 * @returns {Staged}
 */
export function stage(node, args) {
  const start = performance.now();
  const { status, stdout, stderr } = probe(stageRootfs(node, ["--json", ...args]), {
    cwd: CALLER_DIRECTORY,
  });
  const processMs = performance.now() - start;
  if (status !== 0) {
    throw new ScriptError(`staging failed with status ${status}: ${stderr.trim()}`);
  }
  return { ...parse(stdout), processMs };
}

/** @param {string} text */
function parse(text) {
  const { rootfs, hit, timings } = fields(JSON.parse(text));
  const { totalMs } = fields(timings);
  if (typeof rootfs !== "string" || typeof hit !== "boolean" || typeof totalMs !== "number") {
    throw new ScriptError(`stage-rootfs --json printed something unexpected: ${text.trim()}`);
  }
  return { rootfs, hit, stagingMs: totalMs };
}

/**
 * @param {unknown} value
 * @returns {Record<string, unknown>} its properties, none if it is no object
 */
function fields(value) {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
