import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type RunOptions, type RunResult, runArgv, stageRootfsArgv } from "./cli.js";
import { makeScratchDir } from "./places.js";
import { userFor } from "./users.js";

/** What a run of the program read. */
export interface ReadTrace {
  readonly result: RunResult;
  /** Bytes that it and its children got from files whose path contains the substring asked for. */
  readonly bytesRead: number;
  /** The paths of all files and directories that were opened. */
  readonly opened: readonly string[];
}

/** System calls that read, with the place of the descriptor that they read from. */
const readCalls: Readonly<Record<string, number>> = {
  read: 0,
  readv: 0,
  pread64: 0,
  preadv: 0,
  preadv2: 0,
  copy_file_range: 0,
  splice: 0,
  sendfile: 1,
};

/** Runs the packaged program under strace, its children included. */
export async function straceReads(
  args: readonly string[],
  fileSubstring: string,
  options: RunOptions = {},
): Promise<ReadTrace> {
  return await traceReads(stageRootfsArgv(args), fileSubstring, options);
}

/** Runs any program under strace, its children included. */
export async function traceReads(
  argv: readonly [string, ...string[]],
  fileSubstring: string,
  options: RunOptions = {},
): Promise<ReadTrace> {
  const user = userFor(options.as ?? "ordinary");
  const dir = makeScratchDir("strace", { mode: 0o700, owner: user });
  try {
    // One output file per thread (-ff), so that no call is torn into two lines; io_uring would
    // read without system calls.
    const result = await runArgv(
      [
        "strace",
        ...["-ff", "-y", "-qq", "-s", "0", "-o", join(dir, "trace")],
        `--trace=open,openat,${Object.keys(readCalls).join(",")}`,
        ...argv,
      ],
      { ...options, env: { ...options.env, UV_USE_IO_URING: "0" } },
    );
    const lines = readdirSync(dir).flatMap((name) =>
      readFileSync(join(dir, name), "latin1").split("\n"),
    );
    if (!lines.some((line) => openedBy(line) !== undefined)) {
      throw new Error(`strace saw nothing being opened. It said: ${result.stderr}`);
    }
    return { result, ...summarize(lines, fileSubstring) };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function summarize(
  lines: readonly string[],
  fileSubstring: string,
): Pick<ReadTrace, "bytesRead" | "opened"> {
  const opened = new Set(lines.flatMap((line) => openedBy(line) ?? []));
  const bytesRead = lines
    .map((line) => readBy(line))
    .filter((read) => read?.path.includes(fileSubstring))
    .reduce((sum, read) => sum + (read?.bytes ?? 0), 0);
  return { bytesRead, opened: [...opened].sort() };
}

/** The path in `openat(…) = 17</path>`. */
function openedBy(line: string): string | undefined {
  return /^open(?:at)?\(.* = \d+<(.*)>$/.exec(line)?.[1];
}

/** File and number of bytes in `pread64(17</path>, …) = 512`. */
function readBy(line: string): { path: string; bytes: number } | undefined {
  const [, call = "", parameters = "", bytes = ""] = /^(\w+)\((.*)\) += (\d+)$/.exec(line) ?? [];
  const descriptors = [...parameters.matchAll(/\d+<([^>]*)>/g)];
  const path = descriptors[readCalls[call] ?? -1]?.[1];
  return path === undefined ? undefined : { path, bytes: Number(bytes) };
}
