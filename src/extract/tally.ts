import { type ByteString, displayPath } from "../host/byte-string.js";
import type { Warning } from "./layer-record.js";

const exampleLimit = 5;

const messages = {
  SETUID_STRIPPED: "setuid and setgid bits were dropped: no sandbox honours them",
  SPECIAL_SKIPPED: "device nodes and fifos were not made",
  XATTRS_NOT_KEPT: "extended attributes are on record, but not on the files",
} as const;

export type WarningCode = keyof typeof messages;

/** Counts what was left out, and remembers a few examples of each. */
export class Tally {
  readonly #counts = new Map<WarningCode, { count: number; examples: string[] }>();

  add(code: WarningCode, path: ByteString): void {
    let entry = this.#counts.get(code);
    if (!entry) {
      entry = { count: 0, examples: [] };
      this.#counts.set(code, entry);
    }
    entry.count++;
    if (entry.examples.length < exampleLimit) entry.examples.push(displayPath(path));
  }

  toWarnings(): readonly Warning[] {
    return [...this.#counts].map(([code, { count, examples }]) => ({
      code,
      message: messages[code],
      count,
      examples,
    }));
  }
}

/** The warnings of several layers as those of one image. */
export function mergeWarnings(layers: readonly (readonly Warning[])[]): readonly Warning[] {
  const merged = new Map<string, Warning>();
  for (const warning of layers.flat()) {
    const before = merged.get(warning.code);
    merged.set(warning.code, {
      ...warning,
      count: warning.count + (before?.count ?? 0),
      examples: [...(before?.examples ?? []), ...warning.examples].slice(0, exampleLimit),
    });
  }
  return [...merged.values()];
}
