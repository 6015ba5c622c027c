// @ts-check
/** The comparison of cold staging as an SVG file: bars, one group for each image. */
import { time } from "./numbers.mjs";
import { ratioOf } from "./results.mjs";

/** @typedef {import("./results.mjs").Part} Part */

const WIDTH = 760;
const LABELS = 220;
const VALUES = 110;
const BAR = 18;
const STEP = 24;
const TITLE = 34;
const GAP = 22;
const TOP = 16;
const BARS = WIDTH - LABELS - VALUES;

const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #24292f; }
  .title { font-weight: 600; }
  .value { font-size: 12px; }
  .own { fill: #1f6feb; }
  .other { fill: #afb8c1; }
  .reference { stroke: #57606a; stroke-dasharray: 3 3; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .own { fill: #58a6ff; }
    .other { fill: #484f58; }
    .reference { stroke: #8b949e; }
  }
`;

/**
 * Bars as long as each program's time in terms of the image's reference, which is 1 and marked by a
 * line. All images have the same scale.
 * @param {readonly Part[]} parts
 */
export function chart(parts) {
  const groups = parts.map((part) => ({
    part,
    bars: part.rows.map((row) => ({ row, ratio: ratioOf(part, row) ?? 1 })),
  }));
  const longest = Math.max(1, ...groups.flatMap(({ bars }) => bars.map(({ ratio }) => ratio)));
  const scale = BARS / longest;
  /** @type {string[]} */
  const shapes = [];
  let y = TOP;
  for (const { part, bars } of groups) {
    shapes.push(text({ x: 0, y: y + 14, kind: "title" }, part.title));
    const end = y + TITLE + bars.length * STEP;
    for (const [index, { row, ratio }] of bars.entries()) {
      const top = y + TITLE + index * STEP;
      const length = Math.max(1, ratio * scale);
      const value = `${time(row.median.seconds)} (${ratio.toFixed(2)})`;
      shapes.push(
        text({ x: LABELS - 8, y: top + 13, kind: "label", anchor: "end" }, row.label),
        `<rect class="${row.own ? "own" : "other"}" x="${LABELS}" y="${top}" width="${round(length)}" height="${BAR}"/>`,
        // Beyond the reference's line, so that this does not run through the figures.
        text({ x: LABELS + Math.max(length, scale) + 6, y: top + 13, kind: "value" }, value),
      );
    }
    const x = round(LABELS + scale);
    shapes.push(`<line class="reference" x1="${x}" y1="${y + TITLE - 6}" x2="${x}" y2="${end}"/>`);
    y = end + GAP;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" role="img">
<title>Time to unpack an image, in terms of a decompressor and tar</title>
<style>${STYLE}</style>
${shapes.join("\n")}
</svg>
`;
}

/**
 * @param {{ x: number, y: number, kind: string, anchor?: string }} place
 * @param {string} content
 */
function text({ x, y, kind, anchor = "start" }, content) {
  const escaped = content.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return `<text class="${kind}" x="${round(x)}" y="${round(y)}" text-anchor="${anchor}">${escaped}</text>`;
}

/** @param {number} value */
function round(value) {
  return Math.round(value * 10) / 10;
}
