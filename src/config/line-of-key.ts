import { parseToml } from "../host/parse-toml.js";
import { isRecord } from "../host/read-json.js";

/** Longer files are not searched: the time grows with the square of the length. */
const mostLines = 2000;

/**
 * The line, counted from 1, where a key of a TOML document stands; undefined where it can't be told.
 * No parser says it, so it is the line after the longest beginning of the text that is a document by
 * itself and lacks the key.
 * @param path the tables' names and the key's own
 */
export function lineOfKey(toml: string, path: readonly string[]): number | undefined {
  const lines = toml.split("\n");
  if (lines.length > mostLines) return undefined;
  let before = 0;
  for (let count = 1; count <= lines.length; count++) {
    const outcome = parseToml(lines.slice(0, count).join("\n"));
    if (outcome.kind === "fault") continue;
    if (has(outcome.document, path)) return before + 1;
    before = count;
  }
  return undefined;
}

function has(document: unknown, path: readonly string[]): boolean {
  let at = document;
  for (const name of path) {
    if (!isRecord(at) || !Object.hasOwn(at, name)) return false;
    at = at[name];
  }
  return true;
}
