// @ts-check
import { probe, which } from "../../scripts/lib/run.mjs";

/** @typedef {import("../images/store.mjs").Image} Image */
/** @typedef {import("../measure/timed-run.mjs").Command} Command */

/**
 * A program that is compared with stage-rootfs, as it is on this machine.
 * @typedef {object} Peer
 * @property {string} id
 * @property {string} label
 * @property {string} version
 * @property {string} does what it reads, what it checks and what it leaves, for a table
 * @property {(image: Image, directory: string) => Command} unpack into an empty directory
 * @property {(directory: string) => void} [prepare]
 * @property {(directory: string) => void} [tidy]
 */

/**
 * A peer, and how to find it.
 * @typedef {object} PeerKind
 * @property {string} id
 * @property {string} label
 * @property {readonly import("../images/compress.mjs").Compression[]} reads
 * @property {() => Peer | string} find the peer, or the reason why it is not there
 */

/**
 * The first of the programs that is missing, as a reason; undefined when all are there.
 * @param {readonly string[]} programs
 */
export function missingOf(programs) {
  const missing = programs.find((program) => which(program) === undefined);
  return missing === undefined ? undefined : `${missing} is not installed`;
}

/**
 * What a program says of its version: the first number with dots.
 * @param {readonly [string, ...string[]]} argv
 */
export function versionOf(argv) {
  const { stdout, stderr } = probe(argv);
  return /\d+(\.\d+)+[\w.+~-]*/.exec(stdout + stderr)?.[0] ?? "of unknown version";
}

export const isRoot = process.getuid?.() === 0;
