// @ts-check
/** Keeping node_modules in step with package.json and package-lock.json. */
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { npmCommand } from "./npm.mjs";
import { MODULES, ROOT } from "./paths.mjs";
import { run } from "./run.mjs";
import { say } from "./say.mjs";
import { ScriptError } from "./script.mjs";

/**
 * Installs the npm packages unless they are already there and current.
 *
 * `npm install --no-save`, not `npm ci`: both take the versions and the checksums from the lock
 * file, but `npm ci` refuses one that was written where some other platform's optional packages
 * were out of reach, although no machine that runs this needs them.
 * @param {import("./node.mjs").Node} node the Node to run npm with
 */
export function ensureInstalled(node) {
  if (isCurrent()) {
    say("The npm packages are up to date.");
    return;
  }
  say("Installing the npm packages (npm install) …");
  const status = run([...npmCommand(node), "install", "--no-save", "--no-audit", "--no-fund"]);
  if (status !== 0) {
    throw new ScriptError(
      `npm install failed with status ${status}: see its output above; it needs to reach the npm registry`,
    );
  }
}

/** npm writes node_modules/.package-lock.json when an installation is complete. */
function isCurrent() {
  const installed = join(MODULES, ".package-lock.json");
  if (!existsSync(installed)) {
    return false;
  }
  const since = statSync(installed).mtimeMs;
  return ["package.json", "package-lock.json"]
    .map((name) => join(ROOT, name))
    .every((path) => !existsSync(path) || statSync(path).mtimeMs <= since);
}
