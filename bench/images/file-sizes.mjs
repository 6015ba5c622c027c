// @ts-check

/**
 * Sizes of the files in a Debian system with compilers and interpreters: a share of all files, and
 * the size in bytes that this share stays below.
 * @type {readonly (readonly [number, number])[]}
 */
const QUANTILES = [
  [0, 0],
  [0.01, 30],
  [0.05, 72],
  [0.1, 205],
  [0.25, 593],
  [0.5, 2017],
  [0.75, 8733],
  [0.9, 31_596],
  [0.95, 67_904],
  [0.98, 173_420],
  [0.99, 387_288],
  [0.995, 943_420],
  [0.998, 2_209_528],
  [0.999, 4_472_989],
  [0.9995, 9_245_840],
  [1, 35_464_168],
];

/**
 * The size that a share of all files of a system stays below, in bytes.
 * @param {number} share from 0 to 1
 */
export function systemFileSize(share) {
  const above = Math.max(
    1,
    QUANTILES.findIndex(([upTo]) => share <= upTo),
  );
  const [fromShare, fromSize] = QUANTILES[above - 1] ?? [0, 0];
  const [toShare, toSize] = QUANTILES[above] ?? [1, fromSize];
  const part = (share - fromShare) / (toShare - fromShare);
  // Sizes grow by factors, not by steps.
  return Math.round((fromSize + 1) * ((toSize + 1) / (fromSize + 1)) ** part - 1);
}
