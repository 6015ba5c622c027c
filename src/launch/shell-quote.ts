import type { LaunchCommand } from "./launch-command.js";

/** One word that a POSIX shell reads back as `text`. */
export function quoteWord(text: string): string {
  if (/^[A-Za-z0-9_@%+=:,./-]+$/.test(text)) return text;
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** A command with its whole environment as one line for a POSIX shell. */
export function toShell({ argv, env }: LaunchCommand): string {
  const assignments = Object.entries(env).map(([name, value]) => quoteWord(`${name}=${value}`));
  return ["env", "-i", ...assignments, ...argv.map(quoteWord)].join(" ");
}
