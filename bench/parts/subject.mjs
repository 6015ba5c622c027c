// @ts-check
/** stage-rootfs itself, as it is measured: the program on one Node. */
import { join } from "node:path";
import { EXECUTABLE } from "../../scripts/lib/paths.mjs";
import { probe } from "../../scripts/lib/run.mjs";
import { ScriptError } from "../../scripts/lib/script.mjs";
import { TAG } from "../images/layout.mjs";

/** @typedef {import("../images/store.mjs").Image} Image */
/** @typedef {import("../../scripts/lib/node.mjs").Node} Node */

/**
 * The command that stages an image into a cache below `directory`.
 * @param {Node} node
 * @param {{ image: Image, directory: string }} options
 * @returns {import("../measure/timed-run.mjs").Command}
 */
export function stageCommand(node, { image, directory }) {
  // Measured in memory where there is room, which users are warned off.
  const options = ["--cache-dir", join(directory, "cache"), "--allow-disk", "tmpfs", "--quiet"];
  return { argv: [node.path, EXECUTABLE, ...options, `oci:${image.layout}:${TAG}`] };
}

/**
 * Stages an image without measuring it.
 * @param {Node} node
 * @param {{ image: Image, directory: string }} options
 */
export function stage(node, options) {
  const { status, stderr } = probe(stageCommand(node, options).argv);
  if (status !== 0) {
    throw new ScriptError(
      `staging ${options.image.layout} gave status ${status}: ${stderr.trim()}`,
    );
  }
}

/**
 * What the rows of one Node have in common.
 * @param {Node} node
 * @param {string} name of the row, unless stage-rootfs unpacks an image and nothing else
 */
export function subject(node, name = "stage-rootfs") {
  return { id: `${name}@${node.major}`, label: `${name}, Node ${node.major}`, node: node.version };
}
