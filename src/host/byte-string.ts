import { directLimit, reachable } from "./deep-path.js";

/**
 * A file name or path as the bytes it is: one character per byte ("latin1"). Linux names are bytes,
 * not text; keeping them so means that a name which is no UTF-8 survives.
 */
export type ByteString = string;

// biome-ignore lint/suspicious/noControlCharactersInRegex: the range is that of ASCII
const ascii = /^[\x00-\x7f]*$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not reach a terminal
const controls = /[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** What node:fs takes for `path` below `root`; `root` is ordinary text, `path` is bytes. */
export function pathBelow(root: string, path: ByteString): string | Buffer {
  if (path === "") return root;
  // A character of the root is at most three bytes long.
  const mayBeDeep = root.length * 3 + path.length > directLimit;
  if (!mayBeDeep && ascii.test(path)) return `${root}/${path}`;
  const whole = Buffer.concat([Buffer.from(`${root}/`, "utf8"), Buffer.from(path, "latin1")]);
  return reachable(root, whole);
}

/** What node:fs takes for bytes that are no path of ours, such as a link's target. */
export function rawPath(path: ByteString): string | Buffer {
  return ascii.test(path) ? path : Buffer.from(path, "latin1");
}

/** Text, such as a command line argument, as the bytes it stands for. */
export function bytesOfText(text: string): ByteString {
  return ascii.test(text) ? text : Buffer.from(text, "utf8").toString("latin1");
}

/** For messages: UTF-8 where the bytes are that, with what could upset a terminal escaped. */
export function displayPath(path: ByteString): string {
  if (ascii.test(path)) return printable(path);
  const bytes = Buffer.from(path, "latin1");
  try {
    return printable(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return printable(path.replace(/[\x80-\xff]/g, (c) => hexEscape(c.charCodeAt(0))));
  }
}

/** More than any path has; what is longer is somebody's attempt to flood a log. */
const printableLimit = 4096;

/** Text from outside made fit for one line of a terminal or log. */
export function printable(text: string): string {
  if (text.length > printableLimit) return `${printable(text.slice(0, printableLimit))}…`;
  return text.replace(controls, (c) => {
    const code = c.charCodeAt(0);
    return code < 0x100 ? hexEscape(code) : `\\u${code.toString(16)}`;
  });
}

function hexEscape(code: number): string {
  return `\\x${code.toString(16).padStart(2, "0")}`;
}
