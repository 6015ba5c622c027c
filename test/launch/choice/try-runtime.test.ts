import { existsSync, readdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test, vi } from "vitest";
import { tryRuntime } from "../../../src/launch/choice/try-runtime.js";
import type { LaunchOptions } from "../../../src/launch/plan.js";
import { FakePrograms } from "../../support/fake-programs.js";
import { somePlan } from "../../support/launch-plans.js";
import { scratchDirectory } from "../../support/scratch-directory.js";

/** Tries a script that is to be bwrap. */
async function tryScript(
  script: string,
  { options = {}, patience }: { options?: LaunchOptions; patience?: number } = {},
) {
  const programs = new FakePrograms();
  const temporary = scratchDirectory();
  vi.stubEnv("TMPDIR", temporary);
  const program = programs.make(
    "bwrap",
    `test "$1" = --version && exec echo "bubblewrap 0.11.2"\n${script}`,
  );
  const plan = somePlan(options);
  const answer = await tryRuntime({ name: "bwrap", program }, { plan, patience });
  return { answer, left: readdirSync(temporary), calls: programs.calls("bwrap"), programs };
}

describe("tryRuntime", () => {
  test("finds the version, and that it works, and leaves nothing behind", async () => {
    const { answer, left, calls } = await tryScript("exit 0");
    expect(answer).toMatchObject({ works: true, version: "0.11.2" });
    expect(left).toEqual([]);
    expect(calls).toHaveLength(2);
  });

  test("explains a failure by what the program says", async () => {
    const { answer, left } = await tryScript("echo 'bwrap: Unknown option --new' >&2; exit 1");
    expect(answer).toEqual({
      works: false,
      version: "0.11.2",
      reason: "is too old: it does not know --new",
      remedy: expect.stringContaining("install"),
    });
    expect(left).toEqual([]);
  });

  test("gives it no input", async () => {
    expect((await tryScript('test -z "$(cat)"')).answer.works).toBe(true);
  });

  test("kills one that hangs, and what it has started", async () => {
    const began = Date.now();
    const script = '(sleep 0.6; echo >"$0.alive") & sleep 30';
    const { answer, left, programs } = await tryScript(script, { patience: 200 });
    expect(answer).toMatchObject({ works: false, reason: expect.stringContaining("in time") });
    expect(Date.now() - began).toBeLessThan(5000);
    expect(left).toEqual([]);
    await sleep(800);
    expect(existsSync(`${programs.directory}/bwrap.alive`)).toBe(false);
  });

  test("does not wait for what it leaves running", async () => {
    const began = Date.now();
    expect((await tryScript("setsid sleep 3 & exit 0")).answer.works).toBe(true);
    expect(Date.now() - began).toBeLessThan(2500);
  });

  test("starts a rootfs that shows the host's programs, with what a sandbox mounts", async () => {
    const script = [
      'while [ $# -gt 0 ]; do test "$1" = --ro-bind && test "$3" = / && root=$2; last=$1; shift; done',
      'for point in proc dev tmp run usr; do test -d "$root/$point" || exit 9; done',
      '[ "$(readlink /bin)" = "$(readlink "$root/bin")" ] || exit 8',
      'test -x "$last"',
    ].join("\n");
    expect((await tryScript(script)).answer).toMatchObject({ works: true });
  });

  test("says of a program that can't be started that it can't", async () => {
    const programs = new FakePrograms();
    const program = programs.make("bwrap", "");
    const answer = await tryRuntime(
      { name: "bwrap", program: `${program}-gone` },
      { plan: somePlan() },
    );
    expect(answer).toMatchObject({
      works: false,
      reason: expect.stringMatching(/can't be started/),
    });
  });

  test("says where there is no room to try it", async () => {
    const programs = new FakePrograms();
    const program = programs.make("bwrap", "exit 0");
    vi.stubEnv("TMPDIR", "/nowhere");
    const answer = await tryRuntime({ name: "bwrap", program }, { plan: somePlan() });
    expect(answer).toMatchObject({ works: false, remedy: expect.stringContaining("TMPDIR") });
  });

  test.each([
    ["asks docker's engine", 'test "$1" = version && exec echo 27.1', { works: true }],
    [
      "says that docker has none",
      'test "$1" = --version && exec echo 27.1; echo "Cannot connect to the Docker daemon at x" >&2; exit 1',
      { works: false, reason: expect.stringContaining("reaches no engine") },
    ],
  ])("%s", async (_, script, expected) => {
    const program = new FakePrograms().make("docker", `${script}; exit 0`);
    const answer = await tryRuntime({ name: "docker", program }, { plan: somePlan() });
    expect(answer).toMatchObject(expected);
  });
});
