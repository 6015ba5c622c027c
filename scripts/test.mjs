// @ts-check
/**
 * `npm test [-- ARGS…]`: everything, from the installation to the tests on two releases of Node.
 * ARGS go to vitest; they ask for a part of the tests, and so the static checks are left out.
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildDist } from "./lib/dist.mjs";
import { ensureInstalled } from "./lib/install.mjs";
import { environmentFor, ltsNode, requireMachine } from "./lib/node.mjs";
import { npmCommand } from "./lib/npm.mjs";
import { MODULES } from "./lib/paths.mjs";
import { run } from "./lib/run.mjs";
import { heading, say } from "./lib/say.mjs";
import { runScript } from "./lib/script.mjs";
import { clearTally, describeTally } from "./lib/tally.mjs";
import { ensurePrograms } from "./programs.mjs";

/**
 * One part of the whole, for the line at the end.
 * @typedef {{ name: string, passed: boolean, detail?: string }} Part
 */

await runScript("npm test", async () => {
  const start = Date.now();
  const args = process.argv.slice(2);
  const node = requireMachine();
  heading("Setting up");
  ensureInstalled(node);
  await buildDist();
  say("Built dist/ from src/.");
  heading("Programs that the tests drive");
  /** @type {Part[]} */
  const parts = [programs()];
  if (args.length === 0) {
    heading("Static checks: types, style, unused code, the package");
    parts.push({ name: "checks", passed: run([...npmCommand(node), "run", "check"]) === 0 });
  }
  for (const each of nodesToTest(node)) {
    parts.push(vitest(each, args));
  }
  return conclude(parts, Date.now() - start);
});

/**
 * Missing programs mean skipped tests. Whoever works on the code may live with that; continuous
 * integration may not.
 * @returns {Part}
 */
function programs() {
  const missing = ensurePrograms().map(({ command }) => command);
  const { CI = "" } = process.env;
  const required = CI !== "" && CI !== "false" && CI !== "0";
  if (missing.length > 0) {
    say(
      required
        ? "CI is set in the environment, so this counts as a failure."
        : "The tests that need them are skipped, and named at the end of each run.",
    );
  }
  return {
    name: "programs",
    passed: missing.length === 0 || !required,
    ...(missing.length > 0 && { detail: `${missing.join(", ")} missing` }),
  };
}

/**
 * The machine's Node, and the long-term-support one unless that is the same release line.
 * @param {import("./lib/node.mjs").Node} machine
 */
function nodesToTest(machine) {
  const lts = ltsNode();
  if (lts === undefined) {
    say();
    say(
      `The long-term-support Node of the npm package "node" does not run here: testing on Node ${machine.version} alone.`,
    );
    return [machine];
  }
  return lts.major === machine.major ? [machine] : [machine, lts];
}

/**
 * @param {import("./lib/node.mjs").Node} node
 * @param {readonly string[]} args
 * @returns {Part}
 */
function vitest(node, args) {
  heading(`Tests on Node ${node.version} (${node.path})`);
  clearTally(node.version);
  const program = join(MODULES, "vitest", "vitest.mjs");
  const tally = fileURLToPath(import.meta.resolve("./lib/vitest-tally.mjs"));
  const reporters = ["--reporter=default", `--reporter=${tally}`];
  const status = run([node.path, program, "run", ...reporters, ...args], {
    env: { ...environmentFor(node), ...(process.stdout.isTTY ? {} : { NO_COLOR: "1" }) },
  });
  return {
    name: `Node ${node.version}`,
    passed: status === 0,
    detail: describeTally(node.version),
  };
}

/**
 * @param {readonly Part[]} parts
 * @param {number} ms
 * @returns {number} the exit status
 */
function conclude(parts, ms) {
  const passed = parts.every((part) => part.passed);
  const details = parts.map(({ name, passed: ok, detail }) => {
    const verdict = ok ? "ok" : "FAILED";
    return `${name} ${verdict}${detail === undefined ? "" : ` (${detail})`}`;
  });
  say();
  say(
    `npm test: ${passed ? "passed" : "FAILED"} in ${Math.round(ms / 1000)} s: ${details.join("; ")}`,
  );
  return passed ? 0 : 1;
}
