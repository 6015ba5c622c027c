import type { OptionName, OptionValues } from "./options.js";

/** What is for whoever asks the nodes, or told to each node anyway. */
const own: ReadonlySet<OptionName> = new Set([
  "slurm",
  "nodes",
  "partition",
  "fan-in",
  "via",
  "start-within",
  "node-program",
  "file",
  "lab",
  "json",
  "nice",
  "progress",
  "quiet",
  "help",
]);

/** The options of a command line that are for each node, as they are given to it. */
export function handedOn(values: OptionValues): readonly string[] {
  const others = Object.entries(values).filter(([name]) => !isOwn(name));
  return others.flatMap(([name, value]) => {
    if (value === true) return [`--${name}`];
    return [value].flat().map((text) => `--${name}=${text}`);
  });
}

function isOwn(name: string): boolean {
  return [...own].some((each) => each === name);
}
