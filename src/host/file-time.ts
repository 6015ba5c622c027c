import type { BigIntStats } from "node:fs";

/**
 * What node:fs takes as a file's time for `seconds` since 1970, true to the microsecond. Node takes
 * a number below zero for "now", but not a text. And of what a double holds the rest is cut off, so
 * a microsecond that no double hits exactly has to be aimed at a little beyond its beginning.
 */
export function fileTime(seconds: number): string {
  const whole = microseconds(seconds);
  const isExact = whole % exactStep === 0;
  return String((whole + (isExact ? 0 : 0.3 * Math.sign(seconds))) / 1e6);
}

/** The time in microseconds that a file has when it was given {@link fileTime} of `seconds`. */
export function microseconds(seconds: number): number {
  return Math.trunc(seconds * 1e6 + 0.1 * Math.sign(seconds));
}

/** A 64th of a second: its multiples are what doubles of this size hold exactly. */
const exactStep = 15_625;

/** A file's modification time in seconds since 1970, to the microsecond. */
export function modificationTime({ mtimeNs }: Pick<BigIntStats, "mtimeNs">): number {
  return Number(mtimeNs / 1000n) / 1e6;
}
