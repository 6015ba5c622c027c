import { nearest } from "../config/nearest.js";
import { StageError } from "../errors.js";
import { printable } from "../host/byte-string.js";
import type { Command } from "./commands/command.js";
import { commands, findCommand } from "./commands.js";
import { imageWord } from "./image-word.js";
import { type CommandLine, type OptionName, parseCommandLine } from "./options.js";
import { writeResult } from "./output.js";
import { reportError } from "./report-error.js";

/**
 * The command line.
 * @param argv what follows the program's name
 * @param before.waitedMs how long another process was waited for already, in milliseconds
 * @returns the exit status
 */
export async function main(
  argv: readonly string[],
  before: { readonly waitedMs?: number } = {},
): Promise<number> {
  try {
    const line = parseCommandLine(argv);
    const named = findCommand(line.words[0]);
    const command = named ?? commands[0];
    const words = named ? line.words.slice(1) : line.words;
    return await dispatch(command, { ...line, words, ...before });
  } catch (error) {
    const beforeTerminator = argv.slice(0, argv.indexOf("--") < 0 ? undefined : argv.indexOf("--"));
    return reportError(error, { json: beforeTerminator.includes("--json") });
  }
}

async function dispatch(command: Command, line: CommandLine): Promise<number> {
  const { values, words } = line;
  if (values.version) {
    const { version } = await import("./version.js");
    await writeResult(`${version()}\n`);
    return 0;
  }
  if (values.help) {
    const { helpText } = await import("./help.js");
    await writeResult(helpText(command));
    return 0;
  }
  checkOptions(command, line);
  checkWords(command, words);
  try {
    return await command.run({ ...line, words: words.map((word) => imageWord(word, values)) });
  } catch (error) {
    if (values.metrics !== undefined) {
      const { recordError } = await import("./record-metrics.js");
      await recordError(error, values);
    }
    throw error;
  }
}

function checkOptions(command: Command, { values }: CommandLine): void {
  const allowed: readonly string[] = command.options;
  const odd = Object.keys(values).find((name) => !allowed.includes(name));
  if (odd === undefined) return;
  const users = commands.filter(({ options }) => options.some((name: OptionName) => name === odd));
  throw new StageError("USAGE", `--${odd} is no option of ${label(command)}`, {
    hint: `it belongs to ${users.map(label).join(", ")}`,
  });
}

function checkWords({ name, synopsis, words: rule }: Command, words: readonly string[]): void {
  const usage = `usage: stage-rootfs ${synopsis}`;
  if (words.length < rule.least) {
    throw new StageError("USAGE", `no ${rule.what} was named`, { hint: `${usage}; see --help` });
  }
  const extra = words[rule.most];
  if (extra === undefined) return;
  const [first = ""] = words;
  if (name === "" && /^[a-z]{3,}$/.test(first)) {
    const near = nearest(first, commands.map((each) => each.name).filter(Boolean)) ?? "";
    throw new StageError("USAGE", `there is no command ${first}`, {
      hint: `the nearest one is stage-rootfs ${near}; to stage an image, name it alone: ${usage}`,
    });
  }
  throw new StageError("USAGE", `one word too many: "${printable(extra)}"`, {
    hint: synopsis.includes("-- CMD") ? `put the command to run after --; ${usage}` : usage,
  });
}

function label({ name }: Command): string {
  return name === "" ? "plain stage-rootfs" : `stage-rootfs ${name}`;
}
