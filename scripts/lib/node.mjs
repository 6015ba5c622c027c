// @ts-check
/** The Nodes at hand: the machine's own, and the long-term-support release that npm installs. */
import { existsSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { isInside, MODULES } from "./paths.mjs";
import { machinePath, probe, which } from "./run.mjs";
import { ScriptError } from "./script.mjs";

/** package.json's `engines.node`, as numbers. */
const OLDEST = { major: 20, minor: 19 };

/**
 * @typedef {object} Node
 * @property {string} path
 * @property {string} version without the leading v
 * @property {number} major
 */

/**
 * Fails unless this is Linux with a Node that is new enough.
 * @returns {Node} the machine's Node
 */
export function requireMachine() {
  if (process.platform !== "linux") {
    throw new ScriptError(
      `stage-rootfs runs on Linux only, and this is ${process.platform}: use a Linux machine, virtual machine or container`,
    );
  }
  const node = machineNode();
  const [major = 0, minor = 0] = node.version.split(".").map(Number);
  if (major < OLDEST.major || (major === OLDEST.major && minor < OLDEST.minor)) {
    throw new ScriptError(
      `${node.path} is Node ${node.version}, and ${OLDEST.major}.${OLDEST.minor} or newer is needed: install a newer one from your distribution or nodejs.org`,
    );
  }
  return node;
}

/**
 * The Node that the user has. Under npm this may not be the one running us: npm searches
 * node_modules/.bin first, where the development dependency `node` puts another.
 * @returns {Node}
 */
function machineNode() {
  const { npm_node_execpath: ofNpm } = process.env;
  const candidates = [ofNpm, process.execPath, which("node")];
  const path = candidates.find((each) => each !== undefined && isOwn(each)) ?? process.execPath;
  return describeNode(path) ?? unusable(path);
}

/**
 * The long-term-support Node among the development dependencies, or undefined where it can't run
 * (another C library, an architecture without builds).
 * @returns {Node | undefined}
 */
export function ltsNode() {
  const path = join(MODULES, "node", "bin", "node");
  return existsSync(path) ? describeNode(path) : undefined;
}

/**
 * The environment in which `node` means this Node, for `#!/usr/bin/env node` as well.
 * @param {Node} node
 * @returns {NodeJS.ProcessEnv}
 */
export function environmentFor(node) {
  const path = machinePath();
  if (which("node", path) !== node.path) {
    path.unshift(join(node.path, ".."));
  }
  return { ...process.env, PATH: path.join(":") };
}

/** @param {string} path */
function isOwn(path) {
  return existsSync(path) && !isInside(realpathSync(path), MODULES);
}

/**
 * @param {string} path
 * @returns {Node | undefined}
 */
function describeNode(path) {
  const { status, stdout } = probe([path, "--print", "process.versions.node"]);
  const version = stdout.trim();
  return status === 0 ? { path, version, major: Number(version.split(".")[0]) } : undefined;
}

/**
 * @param {string} path
 * @returns {never}
 */
function unusable(path) {
  throw new ScriptError(`${path} does not run: reinstall Node, or put a working one on PATH`);
}
