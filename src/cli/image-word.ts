import type { OptionValues } from "./options.js";

/** The reference that a word of the command line stands for: with `--lab`, an image of that Lab. */
export function imageWord(word: string, { lab }: OptionValues): string {
  return lab === undefined ? word : `repx:${lab}#${word}`;
}
