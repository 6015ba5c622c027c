// @ts-check
import { stage, stageCommand, subject } from "./subject.mjs";

/**
 * A hit as a job sees it: the whole process, from its start to its end.
 * @type {import("./part.mjs").Part}
 */
export const warm = {
  name: "warm",
  does: "an image that is in the cache, against a Node that does nothing",
  plan: async ({ quick, nodes, directory, system }) => {
    const { title, gzip: image } = await system();
    return {
      title: "Warm hit",
      about: `${title}, in the cache: the whole process, against a Node that does nothing.`,
      rounds: quick ? 15 : 40,
      images: [image],
      before: () => {
        for (const node of nodes) {
          // The second time it is a hit already, which leaves what later ones may profit from.
          stage(node, { image, directory });
          stage(node, { image, directory });
        }
      },
      entrants: nodes.flatMap((node) => {
        const nothing = { ...subject(node, "node -e 0"), against: null, own: false };
        const hit = { ...subject(node), against: nothing.id, own: true };
        return [
          { ...nothing, command: () => ({ argv: [node.path, "-e", "0"] }) },
          { ...hit, command: () => stageCommand(node, { image, directory }) },
        ];
      }),
    };
  },
};
