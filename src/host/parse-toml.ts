import { createRequire } from "node:module";
import type * as SmolToml from "smol-toml";

export type TomlOutcome =
  | { readonly kind: "document"; readonly document: unknown }
  /** @property line counted from 1 */
  | { readonly kind: "fault"; readonly line: number; readonly reason: string };

/** Parses TOML. The parser is loaded at the first call: most commands read no TOML. */
export function parseToml(text: string): TomlOutcome {
  const { parse, TomlError } = loadParser();
  try {
    return { kind: "document", document: parse(text) };
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    // What follows the first line is an excerpt of the file.
    const [reason = ""] = error.message.split("\n");
    return { kind: "fault", line: error.line, reason };
  }
}

let parser: typeof SmolToml | undefined;

function loadParser(): typeof SmolToml {
  parser ??= createRequire(import.meta.url)("smol-toml") as typeof SmolToml;
  return parser;
}
