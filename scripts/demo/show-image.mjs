// @ts-check
/** What `npm start -- IMAGE` shows: an image of the user's, staged in the default cache. */
import { performance } from "node:perf_hooks";
import { CALLER_DIRECTORY, EXECUTABLE, forCaller } from "../lib/paths.mjs";
import { run } from "../lib/run.mjs";
import { heading, milliseconds, say, shellLine } from "../lib/say.mjs";
import { stage, stageRootfs } from "./executable.mjs";
import { prepareSandbox } from "./sandbox.mjs";

/**
 * @param {import("../lib/node.mjs").Node} node
 * @param {readonly string[]} args an image, and options of `stage-rootfs`
 * @returns {number} the exit status: that of `stage-rootfs`
 */
export function showImage(node, args) {
  const line = shellLine(args);
  heading(`Staging ${line}`);
  const start = performance.now();
  // Not as JSON, and with our stderr: whoever has a large image wants to see that it goes on.
  const status = run(stageRootfs(node, args), { cwd: CALLER_DIRECTORY });
  if (status !== 0) {
    return status;
  }
  // Only a plain image can be staged again, and be run.
  if (args.length !== 1 || args[0]?.startsWith("-")) {
    return 0;
  }
  const first = performance.now() - start;
  say(`This took ${milliseconds(first)}, with the start of Node ${node.version}.`);
  say(`Asking again takes ${milliseconds(stage(node, args).stagingMs)} of staging.`);
  heading("To run a command in it");
  const obstacle = prepareSandbox();
  if (obstacle !== undefined) {
    say(`Not possible yet: ${obstacle.reason}`);
    say(`What to do: ${obstacle.advice}`);
  }
  say(`${forCaller(EXECUTABLE)} run ${line} -- /bin/sh -c 'echo hello'`);
  return 0;
}
