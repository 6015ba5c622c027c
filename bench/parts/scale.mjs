// @ts-check
/** How time grows with the size of an image. */
import { manyFiles, manyLayers } from "../images/recipes.mjs";
import { imageOf } from "../images/store.mjs";
import { stageCommand, subject } from "./subject.mjs";

/** @typedef {import("./part.mjs").Bench} Bench */
/** @typedef {import("../images/store.mjs").Image} Image */

const ENTRIES = [1000, 10_000, 100_000, 1_000_000];
const LAYERS = [1, 8, 32, 127];

/** How many files the images have whose number of layers varies. */
const FILES = 12_700;

/** @type {import("./part.mjs").Part} */
export const scaleEntries = {
  name: "scale-entries",
  does: "from 1,000 to 1,000,000 files in one layer",
  fullOnly: true,
  plan: async (bench) => {
    const sizes = [];
    for (const files of ENTRIES) {
      const image = await imageOf(manyFiles(files));
      sizes.push({ scale: files, image });
    }
    return scalePlan(bench, {
      title: "More and more files",
      about: "One gzip layer of small files.",
      unit: "files",
      sizes,
    });
  },
};

/** @type {import("./part.mjs").Part} */
export const scaleLayers = {
  name: "scale-layers",
  does: "the same files in 1 to 127 layers",
  fullOnly: true,
  plan: async (bench) => {
    const sizes = [];
    for (const layers of LAYERS) {
      const image = await imageOf(manyLayers({ files: FILES, layers }));
      sizes.push({ scale: layers, image });
    }
    return scalePlan(bench, {
      title: "More and more layers",
      about: `${FILES.toLocaleString("en")} small files, spread over gzip layers.`,
      unit: "layers",
      sizes,
    });
  },
};

/**
 * @param {Bench} bench
 * @param {{ title: string, about: string, unit: string, sizes: readonly { scale: number, image: Image }[] }} what
 * @returns {import("./part.mjs").Plan}
 */
function scalePlan({ nodes, peer }, { title, about, unit, sizes }) {
  const tar = peer("pigz");
  return {
    title,
    about,
    unit,
    rounds: 3,
    images: sizes.map(({ image }) => image),
    entrants: sizes.flatMap(({ scale, image }) => {
      const reference = `pigz/${scale}`;
      const others = typeof tar === "string" ? [] : [tar];
      return [
        ...others.map(({ label, unpack }) => ({
          id: reference,
          label,
          against: null,
          own: false,
          node: null,
          scale,
          command: (/** @type {string} */ directory) => unpack(image, directory),
        })),
        ...nodes.map((node) => ({
          ...subject(node),
          id: `${subject(node).id}/${scale}`,
          against: reference,
          own: true,
          scale,
          command: (/** @type {string} */ directory) => stageCommand(node, { image, directory }),
        })),
      ];
    }),
    absent: typeof tar === "string" ? [{ label: "pigz -dc | tar -x", reason: tar }] : [],
  };
}
