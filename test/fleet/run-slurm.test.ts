import { describe, expect, test, vi } from "vitest";
import { runSlurm } from "../../src/fleet/run-slurm.js";
import { FakePrograms } from "../support/fake-programs.js";
import { rejection } from "../support/refusal.js";

describe("a program of Slurm's", () => {
  test("is given its input and arguments, and what it prints is returned", async () => {
    new FakePrograms().make("scontrol", 'echo "$1"; cat');
    expect(await runSlurm(["scontrol", "a b"], { input: "line\n" })).toBe("a b\nline\n");
  });

  test("has no input unless told, and needs not read what it is given", async () => {
    const programs = new FakePrograms();
    programs.make("sinfo", "cat; echo end");
    expect(await runSlurm(["sinfo"])).toBe("end\n");
    programs.make("scancel", "exec <&-; echo done");
    expect(await runSlurm(["scancel"], { input: "x".repeat(1 << 20) })).toBe("done\n");
  });

  test("fails as busy, with the first line of what it said", async () => {
    new FakePrograms().make(
      "sinfo",
      "printf 'sinfo: error: no\\033 controller\\nmore\\n' >&2; exit 1",
    );
    expect((await rejection(runSlurm(["sinfo"], { to: "list nodes" }))).toReport()).toEqual({
      code: "BUSY",
      message: "Slurm can't list nodes: sinfo: error: no\\x1b controller",
      hint: "is Slurm's controller up? See what sinfo says by itself",
    });
  });

  test("fails as busy where it is missing", async () => {
    vi.stubEnv("PATH", new FakePrograms().directory);
    expect((await rejection(runSlurm(["sinfo"]))).toReport()).toEqual({
      code: "BUSY",
      message: "Slurm can't run sinfo: there is no sinfo on PATH",
      hint: "put Slurm's programs on PATH",
    });
  });

  test("does not hang for ever", async () => {
    new FakePrograms().make("sinfo", "exec sleep 60");
    const { message } = await rejection(runSlurm(["sinfo"], { timeoutMs: 50 }));
    expect(message).toBe("Slurm can't run sinfo: sinfo took more than 0.05 s");
  });

  test("ends when it is cancelled, with the reason", async () => {
    new FakePrograms().make("sinfo", "exec sleep 60");
    const reason = new Error("enough");
    const controller = new AbortController();
    const run = runSlurm(["sinfo"], { signal: controller.signal });
    controller.abort(reason);
    await expect(run).rejects.toBe(reason);
    await expect(runSlurm(["sinfo"], { signal: controller.signal })).rejects.toBe(reason);
  });
});
