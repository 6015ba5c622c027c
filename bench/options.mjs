// @ts-check
import { parseArgs } from "node:util";
import { ScriptError } from "../scripts/lib/script.mjs";

/**
 * @typedef {object} Options
 * @property {boolean} quick
 * @property {boolean} install
 * @property {boolean} writeDocs
 * @property {boolean} help
 * @property {string | undefined} dir
 * @property {number | undefined} rounds
 * @property {readonly string[]} parts the names of the parts to measure
 */

/**
 * The command line of the bench.
 * @param {readonly string[]} argv
 * @param {readonly { name: string, fullOnly?: boolean }[]} parts
 * @returns {Options}
 */
export function parseOptions(argv, parts) {
  const { quick, install, help, dir, rounds, only, "write-docs": writeDocs } = parsed(argv);
  if (quick && writeDocs) {
    throw new ScriptError("--write-docs is for a full run: leave --quick out");
  }
  const possible = parts.filter(({ fullOnly }) => !(quick && fullOnly)).map(({ name }) => name);
  return {
    quick,
    install,
    writeDocs,
    help,
    dir,
    rounds: rounds === undefined ? undefined : wholeNumber("--rounds", rounds),
    parts: only === undefined ? possible : chosen(only, possible),
  };
}

/** @param {readonly string[]} argv */
function parsed(argv) {
  try {
    const flag = /** @type {const} */ ({ type: "boolean", default: false });
    const text = /** @type {const} */ ({ type: "string" });
    return parseArgs({
      args: [...argv],
      options: {
        quick: flag,
        install: flag,
        "write-docs": flag,
        help: { ...flag, short: "h" },
        dir: text,
        rounds: text,
        only: text,
      },
    }).values;
  } catch (error) {
    throw new ScriptError(`${error instanceof Error ? error.message : error}; see --help`);
  }
}

/**
 * @param {string} only names with commas between them; none of them is allowed too
 * @param {readonly string[]} possible
 */
function chosen(only, possible) {
  const names = only.split(",").filter((name) => name !== "");
  const odd = names.find((name) => !possible.includes(name));
  if (odd !== undefined) {
    throw new ScriptError(`--only ${odd}: there is no such part; there are ${possible.join(", ")}`);
  }
  return possible.filter((name) => names.includes(name));
}

/**
 * @param {string} option
 * @param {string} text
 */
function wholeNumber(option, text) {
  if (!/^[1-9]\d{0,3}$/.test(text)) {
    throw new ScriptError(`${option} ${text}: a whole number from 1 is needed`);
  }
  return Number(text);
}

/** @param {readonly { name: string, does: string, fullOnly?: boolean }[]} parts */
export function helpText(parts) {
  const width = Math.max(...parts.map(({ name }) => name.length));
  const lines = parts.map(({ name, does, fullOnly }) => {
    return `  ${name.padEnd(width)}  ${does}${fullOnly ? " (not with --quick)" : ""}`;
  });
  return `usage: npm run bench -- [OPTIONS]

Measures stage-rootfs against what else unpacks images on this machine.

  --quick        smaller images, fewer rounds: ends within three minutes
  --only PARTS   measures these parts alone, with commas between them; the results of the
                 others stay as they were ("--only ''" measures nothing and shows the results)
  --rounds N     how often each program runs in each part
  --dir DIR      where to unpack to (default: in memory if there is room, else .cache/bench)
  --install      installs the programs to compare with (as root on Debian and Ubuntu)
  --write-docs   brings docs/performance.md and its chart up to date

Parts:
${lines.join("\n")}
`;
}
