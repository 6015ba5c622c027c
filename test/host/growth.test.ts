import { writeFileSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { describe, expect, test } from "vitest";
import { awaitGrowth, createGrowth, grow, stopGrowth } from "../../src/host/growth.js";
import { openRegularFile, readExactly } from "../../src/host/span.js";
import { WorkStopped } from "../../src/host/work-stopped.js";
import { compileSources } from "../support/compiled-sources.js";
import { scratchDirectory } from "../support/scratch-directory.js";

describe("whoever reads a file that grows", () => {
  test("has what is there at once", () => {
    const growth = createGrowth();
    grow(growth, 5 * 1024 ** 3);
    expect(() => awaitGrowth(growth, 5 * 1024 ** 3)).not.toThrow();
  });

  test("learns that no more comes, but has what came", () => {
    const growth = createGrowth();
    grow(growth, 10);
    stopGrowth(growth);
    expect(() => awaitGrowth(growth, 10)).not.toThrow();
    expect(() => awaitGrowth(growth, 11)).toThrow(WorkStopped);
  });

  test("reads the bytes, and not what is not written yet", () => {
    const path = `${scratchDirectory()}/file`;
    writeFileSync(path, "0123456789");
    const growth = createGrowth();
    grow(growth, 6);
    stopGrowth(growth);
    const span = { path, offset: 2, size: 8, growth };
    const { fd } = openRegularFile(path);
    const into = Buffer.alloc(2);
    readExactly(fd, { span, into, at: 2 });
    expect(into.toString()).toBe("45");
    expect(() => readExactly(fd, { span, into, at: 3 })).toThrow(WorkStopped);
  });

  test.for(["grow", "stop"])(
    "waits in its thread, until bytes come or none will (%s)",
    async (end) => {
      const modules = compileSources(scratchDirectory());
      const growth = createGrowth();
      const worker = new Worker(
        `const { parentPort, workerData: { growth, modules } } = require("node:worker_threads");
      import(modules + "/host/growth.js").then(({ awaitGrowth }) => {
        parentPort.postMessage("waits");
        try {
          awaitGrowth(growth, 100);
          parentPort.postMessage("came");
        } catch (error) {
          parentPort.postMessage(error.name);
        }
      });`,
        { eval: true, workerData: { growth, modules } },
      );
      const said: string[] = [];
      const ended = new Promise((resolve) => worker.on("exit", resolve));
      worker.on("message", (message: string) => {
        said.push(message);
        if (message !== "waits") return;
        grow(growth, 50);
        setTimeout(() => (end === "grow" ? grow(growth, 100) : stopGrowth(growth)), 50);
      });
      await ended;
      expect(said).toEqual(["waits", end === "grow" ? "came" : "WorkStopped"]);
    },
  );
});
