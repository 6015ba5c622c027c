// @ts-check
/** Measuring several programs that do the same, interleaved, each time in a fresh directory. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { medianSample, rotated } from "./statistics.mjs";
import { timedRun } from "./timed-run.mjs";
import { removeAll } from "./workplace.mjs";

/** @typedef {import("./timed-run.mjs").Command} Command */
/** @typedef {import("../report/results.mjs").Row} Row */
/** @typedef {import("../report/results.mjs").Absent} Absent */

/**
 * @typedef {object} Entrant
 * @property {string} id unique in its race
 * @property {string} label
 * @property {string | null} against the id of the entrant that it is compared with
 * @property {boolean} own whether it is stage-rootfs
 * @property {string | null} node the version of Node that it runs on, if that is what is measured
 * @property {number | null} [scale] how much of what the race is about, where that varies
 * @property {(directory: string) => void} [prepare] not measured
 * @property {(directory: string) => Command} command
 * @property {(directory: string) => void} [tidy] what deleting the directory needs first
 */

/**
 * @typedef {object} RaceOptions
 * @property {number} rounds
 * @property {string} directory where each run gets a directory of its own
 * @property {() => boolean} isOver asked between rounds: whether the time for measuring is up
 * @property {AbortSignal} signal stops it after the run that is under way
 * @property {(line: string) => void} progress
 */

/**
 * Runs everybody once per round. Who fails is left out from then on.
 * @param {readonly Entrant[]} entrants
 * @param {RaceOptions} options
 * @returns {Promise<{ rows: Row[], absent: Absent[], rounds: number }>} rows in the order of the
 *   entrants
 */
export async function race(entrants, { rounds, directory, isOver, signal, progress }) {
  /** @type {Map<string, import("../report/results.mjs").Sample[]>} */
  const samples = new Map(entrants.map(({ id }) => [id, []]));
  /** @type {Map<string, string>} */
  const failures = new Map();
  let round = 0;
  do {
    for (const entrant of rotated(entrants, round)) {
      if (failures.has(entrant.id)) {
        continue;
      }
      const result = runOnce(entrant, directory);
      // Signals are heard only here: the runs block everything else, so as not to be disturbed.
      await setImmediate();
      signal.throwIfAborted();
      if ("failure" in result) {
        failures.set(entrant.id, result.failure);
        progress(`${entrant.label}: failed: ${result.failure}`);
      } else {
        samples.get(entrant.id)?.push(result.sample);
      }
    }
    round++;
  } while (round < rounds && !isOver());
  const rows = entrants
    .filter(({ id }) => !failures.has(id))
    .map(({ id, label, against, own, node, scale = null }) => {
      const runs = samples.get(id) ?? [];
      return { id, label, against, own, node, scale, samples: runs, median: medianSample(runs) };
    });
  const absent = entrants.flatMap(({ id, label }) => {
    const reason = failures.get(id);
    return reason === undefined ? [] : [{ label, reason: `failed: ${reason}` }];
  });
  return { rows, absent, rounds: round };
}

/**
 * @param {Entrant} entrant
 * @param {string} parent
 */
function runOnce(entrant, parent) {
  const directory = join(parent, "run");
  mkdirSync(directory);
  try {
    entrant.prepare?.(directory);
    return timedRun(entrant.command(directory), parent);
  } finally {
    entrant.tidy?.(directory);
    removeAll(directory);
  }
}
