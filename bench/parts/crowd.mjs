// @ts-check
import { stageCommand, subject } from "./subject.mjs";

const MANY = 64;

/** Starts a command many times at once; fails when one of them does. */
const AT_ONCE = `count=$0; failed=$1; shift
while [ "$count" -gt 0 ]; do
  count=$((count - 1)); { "$@" || echo "$?" >> "$failed"; } &
done
wait; [ ! -e "$failed" ]`;

/**
 * Many processes that want the same image at the same time, as the tasks of a job do.
 * @type {import("./part.mjs").Part}
 */
export const crowd = {
  name: "crowd",
  does: `${MANY} processes that want the same image at once`,
  plan: async ({ quick, nodes, system }) => {
    const { title, gzip: image } = await system();
    const chosen = quick ? nodes.slice(-1) : nodes;
    return {
      title: `${MANY} processes, one image`,
      about: `${title}, not in the cache: ${MANY} processes started at once, until the last has ended, against one. What ${MANY} Nodes cost that do nothing is shown beside it.`,
      rounds: 3,
      images: [image],
      entrants: chosen.flatMap((node) => {
        const one = subject(node, "one process");
        const stageInto = (/** @type {string} */ directory) =>
          stageCommand(node, { image, directory });
        return [
          { ...one, against: null, own: true, command: stageInto },
          {
            ...subject(node, `${MANY} processes`),
            against: one.id,
            own: true,
            command: (/** @type {string} */ directory) => atOnce(stageInto(directory), directory),
          },
          {
            ...subject(node, `${MANY} × node -e 0`),
            against: one.id,
            own: false,
            command: (/** @type {string} */ directory) =>
              atOnce({ argv: [node.path, "-e", "0"] }, directory),
          },
        ];
      }),
    };
  },
};

/**
 * @param {import("../measure/timed-run.mjs").Command} command
 * @param {string} directory
 * @returns {import("../measure/timed-run.mjs").Command}
 */
function atOnce({ argv }, directory) {
  return { argv: ["sh", "-c", AT_ONCE, String(MANY), `${directory}/failed`, ...argv] };
}
