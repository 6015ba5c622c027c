// @ts-check
/** A vitest reporter: names every skipped test with its reason, and leaves the counts in a file. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { tallyFile } from "./tally.mjs";

/** @typedef {import("vitest/node").Reporter} Reporter */

/** @implements {Reporter} */
// biome-ignore lint/style/noDefaultExport: vitest takes a reporter from a file's default export
export default class VitestTally {
  /**
   * @param {readonly import("vitest/node").TestModule[]} modules
   */
  onTestRunEnd(modules) {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    /** @param {string} state */
    const inState = (state) => tests.filter((test) => test.result().state === state);
    const skipped = inState("skipped").map((test) => {
      const result = test.result();
      const reason = result.state === "skipped" ? result.note : undefined;
      return {
        name: `${test.module.relativeModuleId} > ${test.fullName}`,
        reason: reason ?? (test.options.mode === "todo" ? "to be written" : "no reason given"),
      };
    });
    if (skipped.length > 0) {
      process.stdout.write(`Skipped on Node ${process.versions.node}:\n`);
      for (const { name, reason } of skipped) {
        process.stdout.write(`  ${name}: ${reason}\n`);
      }
      process.stdout.write("\n");
    }
    const file = tallyFile(process.versions.node);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(
      file,
      JSON.stringify({
        passed: inState("passed").length,
        failed: inState("failed").length,
        skipped: skipped.length,
      }),
    );
  }
}
