// @ts-check
/** @typedef {import("../images/store.mjs").Image} Image */

/**
 * What a part of the bench may use.
 * @typedef {object} Bench
 * @property {boolean} quick
 * @property {string} directory empty, and the part's own for all of its rounds
 * @property {readonly import("../../scripts/lib/node.mjs").Node[]} nodes to run stage-rootfs on
 * @property {(id: string) => import("../peers/peer.mjs").Peer | string} peer a peer, or the reason why
 *   it is not there
 * @property {() => Promise<import("../images/system-images.mjs").SystemImages>} system made when it is first asked for
 */

/**
 * What a part measures, and how often.
 * @typedef {object} Plan
 * @property {string} title
 * @property {string} about a sentence or two
 * @property {string | null} [unit] what the entrants' scale counts
 * @property {number} rounds
 * @property {readonly import("../measure/race.mjs").Entrant[]} entrants
 * @property {readonly import("../report/results.mjs").Absent[]} [absent] who should be there too
 * @property {readonly Image[]} images what is read
 * @property {() => void} [before] what has to be there for all rounds
 */

/**
 * A part of the bench.
 * @typedef {object} Part
 * @property {string} name
 * @property {string} does for the help text
 * @property {boolean} [fullOnly] whether it takes too long for a quick run
 * @property {(bench: Bench) => Promise<Plan>} plan
 */

export const MIB = 1024 * 1024;

/**
 * `5 gzip layers, 206 MiB for 557 MiB in 15,806 entries`
 * @param {Image} image
 */
export function describeImage({ layers, compression, entries, unpacked }) {
  const stored = layers.reduce((sum, { size }) => sum + size, 0);
  const count =
    layers.length === 1 ? `One ${compression} layer` : `${layers.length} ${compression} layers`;
  return `${count}, ${Math.round(stored / MIB)} MiB for ${Math.round(unpacked / MIB)} MiB in ${entries.toLocaleString("en")} entries.`;
}
