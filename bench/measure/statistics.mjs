// @ts-check

/**
 * The value in the middle; between two, their mean.
 * @param {readonly number[]} values at least one
 */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const below = sorted[Math.floor(middle)];
  const above = sorted[Math.ceil(middle)];
  if (below === undefined || above === undefined) {
    throw new RangeError("no values have no median");
  }
  return (below + above) / 2;
}

/**
 * The medians of a program's runs, each for itself.
 * @param {readonly import("../report/results.mjs").Sample[]} samples at least one
 * @returns {import("../report/results.mjs").Sample}
 */
export function medianSample(samples) {
  const of = (
    /** @type {(sample: import("../report/results.mjs").Sample) => number | null} */ get,
  ) => {
    const values = samples.map(get).filter((value) => value !== null);
    return values.length > 0 ? median(values) : null;
  };
  return {
    seconds: median(samples.map(({ seconds }) => seconds)),
    cpuSeconds: of(({ cpuSeconds }) => cpuSeconds),
    peakMiB: of(({ peakMiB }) => peakMiB),
  };
}

/**
 * The same things in another order each round, so that none always comes after the same other.
 * @template Item
 * @param {readonly Item[]} items
 * @param {number} round from 0
 */
export function rotated(items, round) {
  const start = items.length === 0 ? 0 : round % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}
