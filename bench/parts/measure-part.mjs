// @ts-check
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { say } from "../../scripts/lib/say.mjs";
import { bringIntoMemory } from "../measure/page-cache.mjs";
import { race } from "../measure/race.mjs";
import { removeAll } from "../measure/workplace.mjs";

/** @typedef {import("./part.mjs").Part} Part */

/**
 * Measures a part of the bench.
 * @param {Part} part
 * @param {{ bench: Omit<import("./part.mjs").Bench, "directory">, workplace: string, rounds: number | undefined, isOver: () => boolean, signal: AbortSignal }} options
 *   rounds instead of those that the part thinks right
 * @returns {Promise<import("../report/results.mjs").Part>}
 */
export async function measurePart(part, { bench, workplace, rounds, isOver, signal }) {
  const directory = join(workplace, part.name);
  mkdirSync(directory);
  try {
    const plan = await part.plan({ ...bench, directory });
    plan.images.forEach(bringIntoMemory);
    plan.before?.();
    const raced = await race(plan.entrants, {
      rounds: rounds ?? plan.rounds,
      directory: workplace,
      isOver,
      signal,
      progress: say,
    });
    return {
      name: part.name,
      title: plan.title,
      about: plan.about,
      unit: plan.unit ?? null,
      rounds: raced.rounds,
      rows: raced.rows,
      absent: [...(plan.absent ?? []), ...raced.absent],
      measured: new Date().toISOString(),
    };
  } finally {
    removeAll(directory);
  }
}
