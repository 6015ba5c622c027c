import { writeFileSync } from "node:fs";
import { fromSystemError } from "../errors.js";
import { printable } from "../host/byte-string.js";
import type { Tracer, TraceSpan } from "../host/trace.js";

/**
 * Does work that tells what it spends its time with, and writes that to a file, also when it fails.
 * The file is in the Trace Event Format, which Perfetto and Chrome's chrome://tracing show.
 * @param path the file; where it is undefined, nothing is traced
 * @throws what `work` throws; StageError NOT_WRITABLE, NO_SPACE, PERMISSION, NOT_FOUND
 */
export async function tracedTo<Value>(
  path: string | undefined,
  work: (trace: Tracer | undefined) => Promise<Value>,
): Promise<Value> {
  if (path === undefined) return await work(undefined);
  const spans: TraceSpan[] = [];
  const save = () => write(path, JSON.stringify(traceEvents(spans, process.pid)));
  let value: Value;
  try {
    value = await work((span) => spans.push(span));
  } catch (error) {
    try {
      save();
    } catch {
      // What the work failed with says more.
    }
    throw error;
  }
  save();
  return value;
}

/** Spans as "complete events", after the names of their threads; times in µs. */
export function traceEvents(spans: readonly TraceSpan[], pid: number): { traceEvents: object[] } {
  const threads = [...new Set(spans.map(({ thread }) => thread))].sort((a, b) => a - b);
  const names = threads.map((tid) => {
    const name = tid === 0 ? "main" : `worker ${tid}`;
    return { name: "thread_name", ph: "M", pid, tid, args: { name } };
  });
  const events = spans.map(({ name, start, end, thread: tid, details: args }) => {
    return { name, ph: "X", ts: start * 1e3, dur: (end - start) * 1e3, pid, tid, args };
  });
  return { traceEvents: [...names, ...events] };
}

function write(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (error) {
    throw fromSystemError(error, `write ${printable(path)}`);
  }
}
