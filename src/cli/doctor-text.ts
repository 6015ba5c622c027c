import type { Finding } from "./doctor-findings.js";

/** Findings as lines in columns, what to do about each below it. */
export function doctorText(findings: readonly Finding[]): string {
  const width = Math.max(0, ...findings.map(({ what }) => what.length));
  const lines = findings.flatMap(({ mark, what, says, remedy }) => [
    `${mark}  ${what.padEnd(width)}  ${says}`.trimEnd(),
    ...(remedy === undefined ? [] : [`${" ".repeat(width + 8)}${remedy}`]),
  ]);
  return lines.map((line) => `${line}\n`).join("");
}
