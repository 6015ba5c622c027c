// @ts-check
import { withApplication } from "../images/recipes.mjs";
import { imageOf } from "../images/store.mjs";
import { describeImage } from "./part.mjs";
import { stage, stageCommand, subject } from "./subject.mjs";

/**
 * An image whose layers are in the cache already, all but the top one.
 * @type {import("./part.mjs").Part}
 */
export const secondImage = {
  name: "second-image",
  does: "an image that shares all but its top layer with one in the cache",
  plan: async ({ quick, nodes, system }) => {
    const { name, gzip: below } = await system();
    const image = await imageOf(withApplication(below, name));
    return {
      title: "Second image",
      about: `${describeImage(image)} All but the top one are in the cache, against an empty cache.`,
      rounds: quick ? 3 : 5,
      images: [below, image],
      entrants: nodes.flatMap((node) => {
        const cold = { ...subject(node, "empty cache"), against: null };
        const shared = { ...subject(node, "layers shared"), against: cold.id };
        const command = (/** @type {string} */ directory) =>
          stageCommand(node, { image, directory });
        return [
          { ...cold, own: true, command },
          {
            ...shared,
            own: true,
            command,
            prepare: (/** @type {string} */ directory) => stage(node, { image: below, directory }),
          },
        ];
      }),
    };
  },
};
