import { describe, expect, test } from "vitest";
import { type Ended, exitStatusOf } from "../../../src/launch/run/exit-status.js";
import type { RuntimeName } from "../../../src/launch/runtime.js";
import { refusal } from "../../support/refusal.js";

const exited = (code: number): Ended => ({ code, signal: null });

describe("exitStatusOf", () => {
  test.each<[RuntimeName, Ended, number]>([
    ["native", exited(0), 0],
    ["native", exited(125), 125],
    ["native", { code: null, signal: "SIGKILL" }, 137],
    ["apptainer", exited(255), 255],
    ["podman", exited(126), 126],
    ["docker", exited(127), 127],
    ["docker", { code: null, signal: "SIGTERM" }, 143],
    ["bwrap", { code: null, signal: "SIGINT" }, 130],
  ])("of %s, ended with %o, is %i", (name, ended, status) => {
    expect(exitStatusOf(ended, { name, sent: [] })).toBe(status);
  });

  test.each<[RuntimeName, number]>([
    ["podman", 125],
    ["docker", 125],
    // Of a command that had begun, bwrap would have told.
    ["bwrap", 1],
    ["bwrap", 143],
  ])("of %s is an error for %i: there was no sandbox", (name, code) => {
    expect(refusal(() => exitStatusOf(exited(code), { name, sent: [] }))).toMatchObject({
      code: "SANDBOX",
      message: `${name} could not start the sandbox (exit status ${code})`,
    });
  });

  test("is that of a signal that came before bwrap's command had begun", () => {
    expect(exitStatusOf(exited(143), { name: "bwrap", sent: ["SIGTERM"] })).toBe(143);
  });
});
