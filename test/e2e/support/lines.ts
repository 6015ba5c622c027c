import type { Readable } from "node:stream";

/** The whole lines that a stream has given so far; it grows. */
export type Lines = readonly string[];

/** Collects the lines of a text as they come. */
export function linesOf(stream: Readable): Lines {
  const lines: string[] = [];
  let rest = "";
  stream.setEncoding("utf8").on("data", (text: string) => {
    const parts = `${rest}${text}`.split("\n");
    rest = parts.pop() ?? "";
    lines.push(...parts);
  });
  return lines;
}
