// @ts-check
/** The counts of a test run, handed from the reporter inside vitest to the script around it. */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { WORK } from "./paths.mjs";

/**
 * One file per release of Node, for each runs the tests once.
 * @param {string} version
 */
export function tallyFile(version) {
  return join(WORK, "test", `node-${version}.json`);
}

/** @param {string} version */
export function clearTally(version) {
  rmSync(tallyFile(version), { force: true });
}

/**
 * `12 passed, 1 skipped`, or what to say when the run did not come to its end.
 * @param {string} version
 */
export function describeTally(version) {
  const file = tallyFile(version);
  if (!existsSync(file)) {
    return "no result";
  }
  /** @type {unknown} */
  const tally = JSON.parse(readFileSync(file, "utf8"));
  return Object.entries(/** @type {object} */ (tally))
    .filter(([state, count]) => state === "passed" || count > 0)
    .map(([state, count]) => `${count} ${state}`)
    .join(", ");
}
