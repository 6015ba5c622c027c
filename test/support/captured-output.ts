import type { EventEmitter } from "node:events";
import { onTestFinished, vi } from "vitest";

export interface Output {
  stdout: string;
  stderr: string;
}

/** What the test that is running writes to the standard streams from here on. */
export function captureOutput(): Output {
  const output: Output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    const spy = vi.spyOn(process[name], "write").mockImplementation((chunk, ...rest: unknown[]) => {
      output[name] += typeof chunk === "string" ? chunk : Buffer.from(chunk).toString("utf8");
      const done = rest.at(-1);
      if (typeof done === "function") process.nextTick(done);
      return true;
    });
    const before = process[name].listeners("error");
    onTestFinished(() => {
      spy.mockRestore();
      // A program writes its result once and keeps its listener; here it is written many times.
      const stream: EventEmitter = process[name];
      stream.removeAllListeners("error");
      for (const listener of before) stream.on("error", (error) => listener(error));
    });
  }
  return output;
}
