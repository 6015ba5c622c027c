import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect } from "vitest";
import { freshCacheDir } from "./support/cache-dir.js";
import { type RunResult, stageRootfs } from "./support/cli.js";
import { debianImage, debianImageNeeds } from "./support/debian-image.js";
import { testNeeding } from "./support/programs.js";
import { warmCaches } from "./support/warm-cache.js";

const sandboxTest = testNeeding([...debianImageNeeds, "bwrap"]);

const image = async () => (await debianImage()).forms.dockerArchive;
const cacheOf = warmCaches(image);

async function timed(script: string, options: readonly string[]): Promise<RunResult> {
  const words = ["run", "-q", "--cache-dir", await cacheOf("ordinary"), ...options, await image()];
  return await stageRootfs([...words, "--", "/bin/sh", "-c", script]);
}

describe("run --timeout", () => {
  sandboxTest("ends a command with SIGTERM, and then says 124", async () => {
    const run = await timed("sleep 60", ["--timeout", "1"]);
    expect(run).toMatchObject({
      exitCode: 124,
      stderr: "stage-rootfs: /bin/sh still ran after 1 s, and was ended with SIGTERM\n",
    });
  });

  sandboxTest("leaves a command its grace, whatever status it then ends with", async () => {
    const script = "trap 'sleep 0.5; echo tidied up; exit 3' TERM; while :; do sleep 0.05; done";
    const run = await timed(script, ["--timeout", "1", "--grace", "60"]);
    expect(run).toMatchObject({ stdout: "tidied up\n", exitCode: 124 });
  });

  sandboxTest("kills what outlives its grace, and all of the sandbox, and says 137", async () => {
    const scratch = freshCacheDir("ordinary");
    const beat = '(while :; do date +%s%N >>/scratch/alive; sleep 0.02; done) & trap "" TERM; wait';
    const options = ["--timeout", "1", "--grace", "1", "--bind", `${scratch}:/scratch`];
    const run = await timed(beat, options);
    expect(run.exitCode).toBe(137);
    expect(run.stderr).toMatch(/ended with SIGKILL\n$/);
    const alive = () => readFileSync(join(scratch, "alive"), "utf8");
    await sleep(200);
    const last = alive();
    expect(last).not.toBe("");
    await sleep(300);
    expect(alive()).toBe(last);
  });

  sandboxTest("ends a command that was stopped", async () => {
    const run = await timed("kill -STOP $$; echo went on", ["--timeout", "1"]);
    expect(run).toMatchObject({ exitCode: 124, stdout: "" });
  });

  sandboxTest("is nothing to a command that ends before, and 0 is no limit", async () => {
    for (const seconds of ["60", "0", "30000000"]) {
      const run = await timed("sleep 0.2; exit 5", ["--timeout", seconds]);
      expect(run).toMatchObject({ exitCode: 5, stderr: "" });
    }
  });

  sandboxTest.for([
    [["--timeout", "1.5"], "whole number"],
    [["--grace", "5"], "--timeout"],
  ] as const)("%o is refused", async ([options, reason]) => {
    const run = await timed("true", options);
    expect(run).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(reason) });
  });
});
