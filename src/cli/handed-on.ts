import { optionWords } from "./option-words.js";
import type { OptionName, OptionValues } from "./options.js";

/** What is for whoever asks the nodes, or told to each node anyway. */
const own: readonly OptionName[] = [
  "slurm",
  "nodes",
  "partition",
  "fan-in",
  "via",
  "share",
  "start-within",
  "node-program",
  "file",
  "lab",
  "json",
  "nice",
  "progress",
  "quiet",
  "help",
];

/** The options of a command line that are for each node, as they are given to it. */
export function handedOn(values: OptionValues): readonly string[] {
  return optionWords(values, { without: own });
}
