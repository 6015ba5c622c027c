import type { CommandName } from "../command-names.js";
import type { CommandLine, OptionName } from "../options.js";

/** What words a command takes beside its options. */
export interface WordRule {
  /** What one is, for messages: `image`. */
  readonly what: string;
  readonly least: number;
  readonly most: number;
}

/** One command of the command line. */
export interface Command {
  readonly name: CommandName | "";
  readonly words: WordRule;
  /** What follows `stage-rootfs` in the synopsis. */
  readonly synopsis: string;
  readonly summary: string;
  readonly options: readonly OptionName[];
  /** What options do here, where that is not what they do elsewhere. */
  readonly meanings?: Partial<Readonly<Record<OptionName, string>>>;
  /** What options are called with here, likewise. */
  readonly forms?: Partial<Readonly<Record<OptionName, string>>>;
  /** What is to be said beside, as whole lines. */
  readonly notes?: string;
  readonly example: string;
  /** @returns the exit status */
  readonly run: (line: CommandLine) => Promise<number>;
}

export const oneImage: WordRule = { what: "image", least: 1, most: 1 };

export const anyImages: WordRule = { what: "image", least: 0, most: Number.POSITIVE_INFINITY };
