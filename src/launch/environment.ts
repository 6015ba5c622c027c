import { StageError } from "../errors.js";
import { printable } from "../host/byte-string.js";

/** Where programs are where the image does not say it. */
const usualPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** The image's environment with a PATH and a HOME, and what is added to it. */
export function environmentOf(
  config: { readonly env: readonly string[] },
  added: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const env = new Map([
    ["PATH", usualPath],
    ["HOME", "/"],
  ]);
  for (const assignment of config.env) {
    const equals = assignment.indexOf("=");
    if (equals > 0) env.set(assignment.slice(0, equals), assignment.slice(equals + 1));
  }
  return { ...Object.fromEntries(env), ...added };
}

/**
 * Parses `NAME=VALUE`, the argument of `--env`, at the first `=`.
 * @throws StageError USAGE
 */
export function parseAssignment(text: string): readonly [string, string] {
  const equals = text.indexOf("=");
  if (equals > 0 && !text.includes("\0")) return [text.slice(0, equals), text.slice(equals + 1)];
  throw new StageError("USAGE", `"${printable(text)}" is no NAME=VALUE`, {
    hint: "write for instance --env LANG=C.UTF-8",
  });
}
