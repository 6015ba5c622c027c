// @ts-check
/** What a run comes to: for the terminal, and for docs/performance.md. */
import { ScriptError } from "../../scripts/lib/script.mjs";
import { goalTable } from "./goals.mjs";
import { count } from "./numbers.mjs";
import { partTable } from "./part-table.mjs";
import { markdownTable, plainTable } from "./table.mjs";

/** @typedef {import("./results.mjs").Results} Results */
/** @typedef {import("./results.mjs").Part} Part */

/**
 * Markdown for everything in the results.
 * @param {Results} results
 */
export function markdownReport(results) {
  return [
    `${machineLine(results)} ${datesLine(results)}`,
    "### What was aimed at",
    markdownTable(goalTable(results)),
    ...results.parts.flatMap((part) => [
      `### ${part.title}`,
      `${part.about} ${roundsLine(part)}`,
      ...(part.rows.length > 0 ? [markdownTable(partTable(part))] : []),
      ...(part.absent.length > 0 ? [absentLine(part)] : []),
    ]),
    "### What was compared",
    markdownTable({
      columns: ["program", "version", "what it does"].map(leftColumn),
      rows: results.programs.map(({ label, version, does }) => [`\`${label}\``, version, does]),
    }),
  ].join("\n\n");
}

/**
 * One part for the terminal.
 * @param {Part} part
 */
export function plainPart(part) {
  return [
    part.about,
    ...(part.rows.length > 0 ? [plainTable(partTable(part)), roundsLine(part)] : []),
    ...(part.absent.length > 0 ? [absentLine(part)] : []),
  ].join("\n");
}

/** @param {Results} results */
export function plainGoals(results) {
  return plainTable(goalTable(results));
}

/** @param {Results} results */
export function machineLine({ machine, parts }) {
  const { processor, cores, memory, kernel, system, fileSystem } = machine;
  const versions = parts.flatMap(({ rows }) => rows.flatMap(({ node }) => node ?? []));
  const nodes = [...new Set(versions)].sort().join(" and ");
  const gibibytes = Math.round(memory / 1024 ** 3);
  return `${processor}, ${count(cores)} cores, ${gibibytes} GiB of memory; ${system}, Linux ${kernel}; Node ${nodes}; unpacked to ${fileSystem}.`;
}

/**
 * `page` with the text between its two markers replaced.
 * @param {string} page
 * @param {string} report
 */
export function withReport(page, report) {
  const [begin, end] = ["<!-- bench: begin -->", "<!-- bench: end -->"];
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) {
    throw new ScriptError(`the page has no ${begin} with a ${end} after it: put them back`);
  }
  return `${page.slice(0, from)}${begin}\n\n${report}\n\n${page.slice(to)}`;
}

/** @param {Part} part */
function roundsLine({ rounds }) {
  return rounds === 1 ? "One round." : `Medians of ${rounds} rounds.`;
}

/** @param {Part} part */
function absentLine({ absent }) {
  const items = absent.map(({ label, reason }) => `${label} (${reason})`);
  return `Not measured: ${items.join("; ")}.`;
}

/** @param {Results} results */
function datesLine({ parts }) {
  const days = parts.map(({ measured }) => measured.slice(0, 10)).sort();
  const [first, last] = [days[0], days.at(-1)];
  return first === last ? `Measured on ${first}.` : `Measured from ${first} to ${last}.`;
}

/** @param {string} title */
function leftColumn(title) {
  return { title, align: /** @type {const} */ ("left") };
}
