import { readFileSync } from "node:fs";
import { printable } from "../../host/byte-string.js";
import { formatSize } from "../../host/format-size.js";
import type { LaunchCommand } from "../launch-command.js";
import type { LaunchFault } from "./fault.js";

/** What this host's kernel allows, in bytes. */
export interface ArgumentLimits {
  readonly page: number;
  /** Soft limit of the stack (`ulimit -s`). */
  readonly stack: number;
}

/** What any kernel takes, whatever the limits (ARG_MAX). */
const always = 128 * 1024;
/** Three quarters of the usual stack: the most, however large the stack may grow. */
const most = 6 * 1024 * 1024;
/** Pages of the longest string (MAX_ARG_STRLEN). */
const longestPages = 32;
const pointer = 8;

/**
 * What keeps a command from being handed to execve(2): NUL bytes, and more than its limits allow
 * (fs/exec.c of Linux: each string, and all of them with their pointers).
 * @param limitsOf is only asked where there is doubt
 */
export function argumentFaults(
  { argv, env }: Pick<LaunchCommand, "argv" | "env">,
  limitsOf: () => ArgumentLimits,
): readonly LaunchFault[] {
  const strings = [
    ...argv.map((text, i) => ({ text, what: i === 0 ? "the command" : `argument ${i}` })),
    ...Object.entries(env).map(([name, value]) => {
      return { text: `${name}=${value}`, what: `the variable ${printable(name)}` };
    }),
  ].map((string) => ({ ...string, bytes: Buffer.byteLength(string.text) + 1 }));
  const withNul = strings.filter(({ text }) => text.includes("\0"));
  return [
    ...withNul.map(({ what }): LaunchFault => {
      return {
        code: "NUL_BYTE",
        message: `${what} holds a NUL byte, which no command can be given`,
      };
    }),
    ...lengthFaults(strings, { limitsOf, name: argv[0] }),
  ];
}

function lengthFaults(
  strings: readonly { readonly what: string; readonly bytes: number }[],
  { limitsOf, name }: { limitsOf: () => ArgumentLimits; name: string },
): readonly LaunchFault[] {
  // The kernel keeps the program's own name too.
  const total = strings.reduce((sum, { bytes }) => sum + bytes, Buffer.byteLength(name) + 1);
  const pointers = strings.length * pointer;
  if (total + pointers <= always) return [];
  const { page, stack } = limitsOf();
  const each = page * longestPages;
  const long = strings.filter(({ bytes }) => bytes > each);
  const all = Math.max(Math.min(most, Math.floor(stack / 4)), always);
  return [
    ...long.map(({ what, bytes }): LaunchFault => {
      const message = `${what} is ${formatSize(bytes)} long, and the kernel takes ${formatSize(each)}`;
      return { code: "TOO_LONG", message, hint: throughFile };
    }),
    ...(total + pointers > all ? [tooMuch(total + pointers, all)] : []),
  ];
}

const throughFile = "write it to a file, and mount that with --input";

function tooMuch(bytes: number, limit: number): LaunchFault {
  return {
    code: "TOO_LONG",
    message: `arguments and environment take ${formatSize(bytes)}, and the kernel takes ${formatSize(limit)}`,
    hint: limit < most ? `raise the limit with ulimit -s, or ${throughFile}` : throughFile,
  };
}

/** The limits of this process, which those that it starts have too. */
export function ownLimits(): ArgumentLimits {
  const limits = readFileSync("/proc/self/limits", "latin1");
  const soft = /^Max stack size\s+(\d+|unlimited)/m.exec(limits)?.[1];
  const stack =
    soft === undefined || soft === "unlimited" ? Number.POSITIVE_INFINITY : Number(soft);
  return { page: pageSize(), stack };
}

const auxiliaryPageSize = 6n;

/** From the auxiliary vector (getauxval(3)): pairs of a kind and a value, of 64 bits each. */
function pageSize(): number {
  const vector = readFileSync("/proc/self/auxv");
  for (let at = 0; at + 16 <= vector.length; at += 16) {
    if (vector.readBigUInt64LE(at) === auxiliaryPageSize)
      return Number(vector.readBigUInt64LE(at + 8));
  }
  return 4096;
}
