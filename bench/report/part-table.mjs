// @ts-check
import { count, memory, ratio, time } from "./numbers.mjs";
import { ratioOf } from "./results.mjs";
import { columns } from "./table.mjs";

/** @typedef {import("./results.mjs").Part} Part */
/** @typedef {import("./table.mjs").Table} Table */

/**
 * A part as a table of medians.
 * @param {Part} part
 * @returns {Table}
 */
export function partTable(part) {
  return part.unit === null ? comparison(part) : growth(part, part.unit);
}

/**
 * @param {Part} part
 * @returns {Table}
 */
function comparison(part) {
  return {
    columns: columns(["", "time", "ratio", "CPU", "memory"]),
    rows: part.rows.map((row) => {
      const { seconds, cpuSeconds, peakMiB } = row.median;
      return [
        row.label,
        time(seconds),
        ratio(ratioOf(part, row)),
        cpuSeconds === null ? "–" : time(cpuSeconds),
        memory(peakMiB),
      ];
    }),
  };
}

/**
 * @param {Part} part
 * @param {string} unit
 * @returns {Table}
 */
function growth(part, unit) {
  return {
    columns: columns(["", unit, "time", `per ${unit.replace(/s$/, "")}`, "ratio", "memory"]),
    rows: part.rows.map((row) => {
      const { seconds, peakMiB } = row.median;
      const scale = row.scale ?? 1;
      return [
        row.label,
        count(scale),
        time(seconds),
        `${((seconds / scale) * 1e6).toFixed(0)} µs`,
        ratio(ratioOf(part, row)),
        memory(peakMiB),
      ];
    }),
  };
}
