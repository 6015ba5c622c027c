// @ts-check
/** Figures as people read them. */

/**
 * @param {number} seconds
 */
export function time(seconds) {
  return seconds < 1 ? `${(seconds * 1000).toFixed(0)} ms` : `${seconds.toFixed(2)} s`;
}

/** @param {number | undefined} ratio */
export function ratio(ratio) {
  return ratio === undefined ? "1" : ratio.toFixed(2);
}

/** @param {number | null} mebibytes */
export function memory(mebibytes) {
  return mebibytes === null ? "–" : `${Math.round(mebibytes)} MiB`;
}

/** @param {number} count */
export function count(count) {
  return count.toLocaleString("en");
}
