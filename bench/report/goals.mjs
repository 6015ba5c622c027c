// @ts-check
/** What stage-rootfs is meant to reach, and what it does. */
import { memory, ratio } from "./numbers.mjs";
import { columns } from "./table.mjs";

/** @typedef {import("./results.mjs").Results} Results */
/** @typedef {import("./table.mjs").Table} Table */

/**
 * A limit for the time of one row in terms of another's.
 * @typedef {object} Goal
 * @property {string} text what is compared
 * @property {readonly string[]} parts in each of which it is to be reached
 * @property {string} row the row's id, without its Node
 * @property {string} against that of the other row, which has a Node where the first one's has one too
 * @property {number} limit
 * @property {number} [sinceNode] the release of Node from which on it is a goal
 */

const COLD = ["system", "large", "small"];
const ROW = "stage-rootfs";

/** @type {readonly Goal[]} */
const GOALS = [
  { text: "system, pigz | tar", parts: ["system"], row: ROW, against: "pigz", limit: 0.58 },
  { text: "system, umoci", parts: ["system"], row: ROW, against: "umoci", limit: 0.27 },
  {
    text: "system in zstd, zstd | tar",
    parts: ["system-zstd"],
    row: ROW,
    against: "zstd",
    limit: 1.1,
    // Node has zstd of its own since then.
    sinceNode: 23,
  },
  { text: "one large layer, pigz | tar", parts: ["large"], row: ROW, against: "pigz", limit: 0.58 },
  { text: "small files, pigz | tar", parts: ["small"], row: ROW, against: "pigz", limit: 0.95 },
  { text: "all gzip images, podman pull", parts: COLD, row: ROW, against: "podman", limit: 1 },
  {
    text: "all gzip images, apptainer build",
    parts: COLD,
    row: ROW,
    against: "apptainer",
    limit: 1,
  },
  { text: "all gzip images, ch-convert", parts: COLD, row: ROW, against: "ch-convert", limit: 1 },
  { text: "warm hit, node -e 0", parts: ["warm"], row: ROW, against: "node -e 0", limit: 1.25 },
  {
    text: "second image, empty cache",
    parts: ["second-image"],
    row: "layers shared",
    against: "empty cache",
    limit: 0.25,
  },
  {
    text: "64 processes, one process",
    parts: ["crowd"],
    row: "64 processes",
    against: "one process",
    limit: 1.25,
  },
];

const MEMORY_LIMIT = 150;

/**
 * All goals, with what was measured on each Node. Where a goal is about several images, the worst
 * counts.
 * @param {Results} results
 * @returns {Table}
 */
export function goalTable(results) {
  const nodes = nodesOf(results);
  const rows = GOALS.map((goal) => [
    goal.text,
    `≤ ${ratio(goal.limit)}`,
    ...nodes.map((node) => {
      const value =
        goal.sinceNode && node < goal.sinceNode ? undefined : reached(results, goal, node);
      return value === undefined ? "–" : verdict(ratio(value), value <= goal.limit);
    }),
  ]);
  const peaks = nodes.map((node) => {
    const peak = largestPeak(results, node);
    return peak === undefined ? "–" : verdict(memory(peak), peak <= MEMORY_LIMIT);
  });
  return {
    columns: columns(["", "goal", ...nodes.map((node) => `Node ${node}`)]),
    rows: [...rows, ["memory, at the most", `≤ ${memory(MEMORY_LIMIT)}`, ...peaks]],
  };
}

/**
 * @param {string} value
 * @param {boolean} isMet
 */
function verdict(value, isMet) {
  return `${value} ${isMet ? "✓" : "✗"}`;
}

/**
 * @param {Results} results
 * @param {Goal} goal
 * @param {number} node
 * @returns {number | undefined} undefined when nothing was measured
 */
function reached({ parts }, { parts: names, row, against }, node) {
  const ratios = parts
    .filter(({ name }) => names.includes(name))
    .flatMap(({ rows }) => {
      const secondsOf = (/** @type {string} */ wanted) =>
        rows.find(({ id }) => id === wanted || id === `${wanted}@${node}`)?.median.seconds;
      const [own, other] = [secondsOf(row), secondsOf(against)];
      return own === undefined || other === undefined ? [] : [own / other];
    });
  return ratios.length > 0 ? Math.max(...ratios) : undefined;
}

/**
 * @param {Results} results
 * @param {number} node
 */
function largestPeak({ parts }, node) {
  const peaks = parts
    .flatMap(({ rows }) => rows)
    .filter((row) => row.own && majorOf(row.node) === node)
    .flatMap(({ median: { peakMiB } }) => peakMiB ?? []);
  return peaks.length > 0 ? Math.max(...peaks) : undefined;
}

/** @param {Results} results */
function nodesOf({ parts }) {
  const majors = parts.flatMap(({ rows }) => rows.flatMap(({ node }) => majorOf(node) ?? []));
  return [...new Set(majors)].sort((a, b) => a - b);
}

/** @param {string | null} version */
function majorOf(version) {
  return version === null ? undefined : Number(version.split(".")[0]);
}
