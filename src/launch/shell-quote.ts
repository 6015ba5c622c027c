import { shellQuoted } from "../host/shell-quoted.js";
import type { FdContent, LaunchCommand } from "./launch-command.js";

/** One word that a POSIX shell reads back as `text`. */
export function quoteWord(text: string): string {
  if (/^[A-Za-z0-9_@%+=:,./-]+$/.test(text)) return text;
  return shellQuoted(text);
}

/**
 * A command with its whole environment as one line for a POSIX shell. Its exit status and standard
 * streams are the command's; what the command reads from other descriptors is in it.
 */
export function toShell({ argv, env, fds }: LaunchCommand): string {
  const assignments = Object.entries(env).map(([name, value]) => quoteWord(`${name}=${value}`));
  const line = ["env", "-i", ...assignments, ...argv.map(quoteWord)].join(" ");
  if (fds.length === 0) return line;
  // A pipe takes the place of stdin, which is kept in a descriptor that is free.
  const stdin = Math.max(...fds.map(({ fd }) => fd)) + 1;
  const piped = fds.reduce(throughPipe, `${line} <&${stdin} ${stdin}<&-`);
  return `{ ${piped}; } ${stdin}<&0`;
}

/** A line that is run with a content to be read from a descriptor. */
function throughPipe(line: string, { fd, content }: FdContent): string {
  return `printf '${format(content)}' | { ${line}; } ${fd}<&0`;
}

/** Bytes as printf(1) takes them. */
function format(content: Uint8Array): string {
  const octal = (byte: number) => `\\${byte.toString(8).padStart(3, "0")}`;
  const text = Array.from(content, (byte) => {
    const character = String.fromCharCode(byte);
    return /^[A-Za-z0-9 _@+=:,./-]$/.test(character) ? character : octal(byte);
  });
  // Else it would take the first for an option.
  return text.join("").replace(/^-/, octal(45));
}
