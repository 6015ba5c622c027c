// @ts-check
/** What `npm start` shows: the demo image staged cold, staged warm, and run. */
import { rmSync } from "node:fs";
import { CALLER_DIRECTORY, EXECUTABLE, forCaller } from "../lib/paths.mjs";
import { run } from "../lib/run.mjs";
import { bold, bytes, dim, heading, milliseconds, plural, say, shellLine } from "../lib/say.mjs";
import { ScriptError } from "../lib/script.mjs";
import { demoCacheDirectory } from "./cache-directory.mjs";
import { stage, stageRootfs } from "./executable.mjs";
import { DEMO_DIRECTORY, makeDemoImage } from "./image.mjs";
import { prepareSandbox } from "./sandbox.mjs";

/**
 * @param {import("../lib/node.mjs").Node} node
 * @returns {Promise<number>} the exit status
 */
export async function showDemo(node) {
  heading("A demo image from this machine's own programs");
  const image = await makeDemoImage();
  say(`${forCaller(image.path)}: ${plural(image.layers, "layer")}, ${bytes(image.size)}`);
  say("Its third layer replaces a file of the second one and deletes another.");

  const cache = demoCacheDirectory(DEMO_DIRECTORY);
  const options = [image.path, "--cache-dir", cache];
  rmSync(cache, { recursive: true, force: true });
  heading("Staged cold: nothing is in the cache yet");
  const cold = stageAndShow(node, options, { hit: false });
  heading("Staged again, warm: it is all there");
  stageAndShow(node, options, { hit: true });

  const { status, runs } = runDemo(node, options);
  heading("To try next");
  const command = forCaller(EXECUTABLE);
  const shown = shellLine(options.map(forCaller));
  if (runs) {
    say(`${command} run ${shown} -- /bin/sh -c 'ls -l /; exit 3'`);
  }
  say(`${command} command ${shown}      # the bwrap command line, to run yourself`);
  say(`ls ${shellLine([forCaller(cold.rootfs)])}`);
  say("npm start -- IMAGE      # an image of your own, from docker save or skopeo copy");
  return status;
}

/**
 * @param {import("../lib/node.mjs").Node} node
 * @param {readonly string[]} options
 * @param {{ hit: boolean }} expected
 */
function stageAndShow(node, options, { hit }) {
  echo(options);
  const staged = stage(node, options);
  if (staged.hit !== hit) {
    throw new ScriptError(
      `the demo image was ${staged.hit ? "already" : "not"} in the cache, which is wrong: please report it`,
    );
  }
  say(forCaller(staged.rootfs));
  const { stagingMs, processMs } = staged;
  say(
    `${bold(milliseconds(stagingMs))} of staging; ${milliseconds(processMs)} with the start of Node ${node.version}`,
  );
  return staged;
}

/**
 * Runs the image's own command, where a sandbox is possible.
 * @param {import("../lib/node.mjs").Node} node
 * @param {readonly string[]} options
 */
function runDemo(node, options) {
  heading("Run in a sandbox");
  const obstacle = prepareSandbox();
  if (obstacle !== undefined) {
    say(`Not run: ${obstacle.reason}`);
    say(`What to do: ${obstacle.advice}`);
    say("The image is staged all the same, at the path above.");
    return { status: 0, runs: false };
  }
  echo(["run", ...options]);
  const status = run(stageRootfs(node, ["run", ...options]), { cwd: CALLER_DIRECTORY });
  say(`Exit status ${status}`);
  return { status, runs: true };
}

/** @param {readonly string[]} args */
function echo(args) {
  say(dim(`$ ${forCaller(EXECUTABLE)} ${shellLine(args.map(forCaller))}`));
}
