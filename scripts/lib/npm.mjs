// @ts-check
import { existsSync } from "node:fs";
import { basename } from "node:path";
import { which } from "./run.mjs";
import { ScriptError } from "./script.mjs";

/**
 * The npm that started us where there is one, so that its version and settings apply.
 * @param {import("./node.mjs").Node} node
 * @returns {[string, ...string[]]}
 */
export function npmCommand(node) {
  const { npm_execpath: caller } = process.env;
  if (caller !== undefined && /^npm-cli\.[cm]?js$/.test(basename(caller)) && existsSync(caller)) {
    return [node.path, caller];
  }
  const npm = which("npm");
  if (npm === undefined) {
    throw new ScriptError("npm is not on PATH: it comes with Node, or as the package npm");
  }
  return [npm];
}
