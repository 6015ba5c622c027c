import { quoteWord } from "../../launch/shell-quote.js";

/** What takes the place of a template's own values. */
export interface Filling {
  /** By the names of variables. */
  readonly variables: Readonly<Record<string, string>>;
  /** The script's own words: its line that begins with `set --`. */
  readonly words?: readonly string[] | undefined;
}

/**
 * A shell script whose assignments, each on a line of its own, have other values.
 * @throws Error for a variable that the script does not assign: that is a mistake of ours
 */
export function fillScript(script: string, { variables, words }: Filling): string {
  let filled = script;
  for (const [name, value] of Object.entries(variables)) {
    filled = withLine(filled, { begins: `${name}=`, line: `${name}=${quoted(value)}` });
  }
  if (words === undefined || words.length === 0) return filled;
  return withLine(filled, {
    begins: "set --",
    line: ["set --", ...words.map(quoteWord)].join(" "),
  });
}

function withLine(text: string, { begins, line }: { begins: string; line: string }): string {
  const lines = text.split("\n");
  const at = lines.findIndex((each) => each.startsWith(begins));
  if (at < 0) throw new Error(`the template has no line that begins with ${begins}`);
  return [...lines.slice(0, at), line, ...lines.slice(at + 1)].join("\n");
}

function quoted(value: string): string {
  return value === "" ? "" : quoteWord(value);
}
