import type { DiskPath } from "../../host/tree-disk.js";
import type { Host } from "./host.js";

/** Which program the kernel starts a file with. */
export interface Interpreter {
  /** As the file names it. */
  readonly path: string;
  /** `script`: by its `#!` line; `loader`: by its ELF program header PT_INTERP. */
  readonly by: "script" | "loader";
}

/** As much of a file as the kernel looks at for its `#!` line (BINPRM_BUF_SIZE). */
const lineLength = 256;
/** Enough for nearly all program headers, and the name that is right behind them. */
const startLength = 1024;
/** PATH_MAX, which the kernel limits the name to. */
const longestName = 4096;

/** The interpreter that a file names; undefined where it has none, or can't be read. */
export function interpreterOf(file: DiskPath, host: Pick<Host, "read">): Interpreter | undefined {
  const start = host.read(file, { offset: 0, length: startLength });
  if (!start) return undefined;
  if (start.subarray(0, 2).toString("latin1") === "#!") return byLine(start);
  if (start.subarray(0, 4).toString("latin1") !== "\x7fELF") return undefined;
  return byHeader(start, (offset, length) => host.read(file, { offset, length }));
}

/** The first word of the line (fs/binfmt_script.c of Linux). */
function byLine(start: Buffer): Interpreter | undefined {
  const [line = ""] = start
    .subarray(2, lineLength)
    .toString("utf8")
    .split(/[\n\0]/);
  const [path = ""] = line.replace(/^[ \t]+/, "").split(/[ \t]/);
  return path === "" ? undefined : { path, by: "script" };
}

const programInterpreter = 3;
/** In bytes. */
const mostHeaders = 64 * 1024;

/** The name in the program header PT_INTERP (elf(5)). */
function byHeader(
  start: Buffer,
  read: (offset: number, length: number) => Buffer | undefined,
): Interpreter | undefined {
  const is64 = start[4] === 2;
  const isLittle = start[5] === 1;
  if (start.length < 64) return undefined;
  const half = (buffer: Buffer, at: number) => {
    return isLittle ? buffer.readUInt16LE(at) : buffer.readUInt16BE(at);
  };
  const word = (buffer: Buffer, at: number) => {
    return isLittle ? buffer.readUInt32LE(at) : buffer.readUInt32BE(at);
  };
  const address = (buffer: Buffer, at: number) => {
    if (!is64) return word(buffer, at);
    return Number(isLittle ? buffer.readBigUInt64LE(at) : buffer.readBigUInt64BE(at));
  };
  const table = address(start, is64 ? 32 : 28);
  const size = half(start, is64 ? 54 : 42);
  const count = half(start, is64 ? 56 : 44);
  // As the kernel has it (load_elf_phdrs): others are no programs, whatever they say.
  if (size !== (is64 ? 56 : 32) || size * count > mostHeaders) return undefined;
  const headers = read(table, size * count) ?? Buffer.alloc(0);
  for (let at = 0; at + size <= headers.length; at += size) {
    if (word(headers, at) !== programInterpreter) continue;
    const offset = address(headers, at + (is64 ? 8 : 4));
    const length = Math.min(address(headers, at + (is64 ? 32 : 16)), longestName);
    const [path = ""] = (read(offset, length)?.toString("utf8") ?? "").split("\0");
    return path === "" ? undefined : { path, by: "loader" };
  }
  return undefined;
}
