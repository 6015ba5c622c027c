// @ts-check
/** Unpacking an image that nothing is known of yet, against whatever else can unpack it. */
import { largeLayer, manyScripts } from "../images/recipes.mjs";
import { imageOf } from "../images/store.mjs";
import { PEER_KINDS } from "../peers/peers.mjs";
import { describeImage, MIB } from "./part.mjs";
import { stageCommand, subject } from "./subject.mjs";

/** @typedef {import("./part.mjs").Bench} Bench */
/** @typedef {import("./part.mjs").Part} Part */
/** @typedef {import("../images/store.mjs").Image} Image */

/** The peer that all are compared with. */
const REFERENCES = { gzip: "pigz", zstd: "zstd" };

/** @type {Part} */
export const system = {
  name: "system",
  does: "a Debian system in five gzip layers",
  plan: async (bench) => {
    const { title, gzip } = await bench.system();
    return coldPlan(bench, { image: gzip, title });
  },
};

/** @type {Part} */
export const systemZstd = {
  name: "system-zstd",
  does: "the same in zstd layers",
  plan: async (bench) => {
    const { title, gzip, zstd } = await bench.system();
    const plan = coldPlan(bench, { image: zstd ?? gzip, title: `${title}, zstd` });
    const absent = [{ label: "all", reason: "zstd is not installed, so there is no such image" }];
    return zstd === undefined ? { ...plan, entrants: [], absent } : plan;
  },
};

/** @type {Part} */
export const large = {
  name: "large",
  does: "one gzip layer of large files",
  plan: async (bench) => {
    const image = await imageOf(largeLayer((bench.quick ? 128 : 1024) * MIB));
    return coldPlan(bench, { image, title: "One large layer" });
  },
};

/** @type {Part} */
export const small = {
  name: "small",
  does: "one gzip layer of small files",
  plan: async (bench) => {
    const image = await imageOf(manyScripts(bench.quick ? 10_000 : 100_000));
    return coldPlan(bench, { image, title: "Many small files" });
  },
};

/**
 * @param {Bench} bench
 * @param {{ image: Image, title: string }} options
 * @returns {import("./part.mjs").Plan}
 */
function coldPlan({ quick, nodes, peer }, { image, title }) {
  const reference = REFERENCES[image.compression];
  const own = nodes.map((node) => ({
    ...subject(node),
    against: reference,
    own: true,
    command: (/** @type {string} */ directory) => stageCommand(node, { image, directory }),
  }));
  const kinds = PEER_KINDS.filter(({ reads }) => reads.includes(image.compression));
  const found = kinds.map(({ id, label }) => ({ label, peer: peer(id) }));
  const others = found.flatMap(({ peer: each }) => (typeof each === "string" ? [] : [each]));
  return {
    title,
    about: describeImage(image),
    rounds: quick ? 3 : 5,
    images: [image],
    entrants: [
      ...others.map(({ id, label, unpack, prepare, tidy }) => ({
        id,
        label,
        against: id === reference ? null : reference,
        own: false,
        node: null,
        command: (/** @type {string} */ directory) => unpack(image, directory),
        ...(prepare && { prepare }),
        ...(tidy && { tidy }),
      })),
      ...own,
    ],
    absent: found.flatMap(({ label, peer: reason }) =>
      typeof reason === "string" ? [{ label, reason }] : [],
    ),
  };
}
