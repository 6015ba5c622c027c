import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { tracedTo, traceEvents } from "../../src/cli/trace-file.js";
import type { TraceSpan } from "../../src/host/trace.js";
import { rejection } from "../support/refusal.js";
import { scratchDirectory } from "../support/scratch-directory.js";

const resolve: TraceSpan = {
  name: "resolve",
  start: 10,
  end: 12.5,
  thread: 0,
  details: { image: "a.tar" },
};
const unpack: TraceSpan = { name: "unpack", start: 12, end: 20, thread: 3, details: {} };

test("spans become complete events in microseconds, after the names of their threads", () => {
  expect(traceEvents([unpack, resolve], 42)).toEqual({
    traceEvents: [
      { name: "thread_name", ph: "M", pid: 42, tid: 0, args: { name: "main" } },
      { name: "thread_name", ph: "M", pid: 42, tid: 3, args: { name: "worker 3" } },
      { name: "unpack", ph: "X", ts: 12_000, dur: 8000, pid: 42, tid: 3, args: {} },
      {
        name: "resolve",
        ph: "X",
        ts: 10_000,
        dur: 2500,
        pid: 42,
        tid: 0,
        args: { image: "a.tar" },
      },
    ],
  });
});

test("work without a file is not traced", async () => {
  expect(await tracedTo(undefined, async (trace) => trace)).toBeUndefined();
});

test("the file is written when the work is done, and also when it fails", async () => {
  const path = `${scratchDirectory()}/trace.json`;
  const traced = () => JSON.parse(readFileSync(path, "utf8")).traceEvents.length;
  const done = await tracedTo(path, async (trace) => {
    trace?.(resolve);
    return "done";
  });
  expect([done, traced()]).toEqual(["done", 2]);
  const failure = tracedTo(path, async (trace) => {
    trace?.(resolve);
    trace?.(unpack);
    throw new Error("failed");
  });
  await expect(failure).rejects.toThrow("failed");
  expect(traced()).toBe(4);
});

test("a file that can't be written is an error, but not in place of the work's own", async () => {
  const path = `${scratchDirectory()}/missing/trace.json`;
  expect((await rejection(tracedTo(path, async () => "done"))).code).toBe("NOT_FOUND");
  const failure = tracedTo(path, async () => {
    throw new Error("failed");
  });
  await expect(failure).rejects.toThrow("failed");
});
