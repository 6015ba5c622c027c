// @ts-check
/** Plain output for people: no colour and no cursor tricks unless stdout is a terminal. */

const { NO_COLOR, TERM } = process.env;
const colours = process.stdout.isTTY === true && !NO_COLOR && TERM !== "dumb";

/**
 * @param {number} code
 * @param {string} text
 */
function paint(code, text) {
  return colours ? `\u001b[${code}m${text}\u001b[0m` : text;
}

/** @param {string} text */
export const bold = (text) => paint(1, text);

/** @param {string} text */
export const dim = (text) => paint(2, text);

/** @param {string} [line] */
export function say(line = "") {
  process.stdout.write(`${line}\n`);
}

/**
 * Opens a part of the output.
 * @param {string} title
 */
export function heading(title) {
  say();
  say(bold(title));
}

/**
 * A whole number of milliseconds, or tenths below ten.
 * @param {number} ms
 */
export function milliseconds(ms) {
  return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
}

/** @param {number} count */
export function bytes(count) {
  const units = ["bytes", "KiB", "MiB", "GiB"];
  let unit = 0;
  let value = count;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/**
 * `1 layer`, `3 layers`.
 * @param {number} count
 * @param {string} noun
 */
export function plural(count, noun) {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/**
 * An argument list as a line for a POSIX shell.
 * @param {readonly string[]} argv
 */
export function shellLine(argv) {
  return argv
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`))
    .join(" ");
}
