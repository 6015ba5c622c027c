// @ts-check
/** Where results go: files of the last run, and the documentation. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT, WORK } from "../../scripts/lib/paths.mjs";
import { chart } from "./chart.mjs";
import { markdownReport, withReport } from "./page.mjs";
import { writeResults } from "./results.mjs";

/** @typedef {import("./results.mjs").Results} Results */

/** The parts that the chart shows. */
const IN_CHART = ["system", "system-zstd", "large", "small"];

/**
 * The files of full runs and of quick ones, which are never mixed.
 * @param {boolean} quick
 */
export function resultFiles(quick) {
  const name = quick ? "quick" : "full";
  return {
    json: join(WORK, "bench", `${name}.json`),
    chart: join(WORK, "bench", `${name}.svg`),
  };
}

/**
 * @param {Results} results
 * @param {boolean} quick
 */
export function writeFiles(results, quick) {
  const files = resultFiles(quick);
  writeResults(files.json, results);
  writeFileSync(files.chart, chartOf(results));
  return files;
}

/**
 * Brings the documentation up to date.
 * @param {Results} results
 */
export function writeDocs(results) {
  const page = join(ROOT, "docs", "performance.md");
  writeFileSync(page, withReport(readFileSync(page, "utf8"), markdownReport(results)));
  const picture = join(ROOT, "docs", "performance.svg");
  writeFileSync(picture, chartOf(results));
  return [page, picture];
}

/** @param {Results} results */
function chartOf({ parts }) {
  return chart(parts.filter(({ name }) => IN_CHART.includes(name)));
}
