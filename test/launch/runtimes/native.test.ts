import { describe, expect, test } from "vitest";
import { type LaunchOptions, planLaunch, type StagedRootfs } from "../../../src/launch/plan.js";
import type { Runtime } from "../../../src/launch/runtime.js";
import { nativeCommand } from "../../../src/launch/runtimes/native.js";
import { refusal } from "../../support/refusal.js";

const staged: StagedRootfs = {
  rootfs: "/cache/rootfs",
  config: {
    env: ["PATH=/opt/bin:bin:/bin", "A=1"],
    entrypoint: ["/entry"],
    cmd: ["arg"],
    workingDir: "/work",
  },
  mountPoints: [],
};

const native: Runtime = {
  name: "native",
  program: "",
  caller: { uid: 1000, gid: 100 },
  callerEnv: { PATH: "/usr/bin" },
};

function commandFor(options: LaunchOptions = {}, runtime: Runtime = native) {
  return nativeCommand(planLaunch(staged, options), runtime);
}

const label =
  "no isolation: the command is a process of this host, with its files, its network and your rights";

describe("nativeCommand", () => {
  test("is the command where the caller is, with the image's variables and the caller's PATH", () => {
    expect(commandFor()).toEqual({
      argv: ["/usr/bin/env", "--", "/entry", "arg"],
      env: { PATH: "/usr/bin", HOME: "/", A: "1" },
      fds: [],
      warnings: [label],
    });
  });

  test.each<[string, LaunchOptions, string]>([
    ["--chdir", { workingDir: "/there" }, "/there"],
    ["the output directory", { output: { source: "/out", target: "/out" } }, "/out"],
  ])("starts in the place that is asked for: %s", (_, options, place) => {
    expect(commandFor(options).argv).toEqual(["/usr/bin/env", "-C", place, "--", "/entry", "arg"]);
  });

  test.each<[string, LaunchOptions, Runtime, string | undefined]>([
    ["the caller's", {}, native, "/usr/bin"],
    [
      "the image's where the caller has none",
      {},
      { ...native, callerEnv: {} },
      "/opt/bin:bin:/bin",
    ],
    [
      "the image's, below the rootfs",
      {},
      { ...native, nativePath: "rootfs" },
      "/cache/rootfs/opt/bin:/cache/rootfs/bin",
    ],
    ["one that was asked for", { env: { PATH: "/mine" } }, native, "/mine"],
    [
      "that one even when the rootfs's was chosen",
      { env: { PATH: "/mine" } },
      { ...native, nativePath: "rootfs" },
      "/mine",
    ],
  ])("looks for programs in %s", (_, options, runtime, path) => {
    expect(commandFor(options, runtime).env["PATH"]).toBe(path);
  });

  test("sees what is bound at its own place, and says that nothing keeps it from writing", () => {
    const binds = [{ source: "/data", target: "/data", access: "ro" }] as const;
    expect(commandFor({ binds }).warnings).toEqual([
      `${label}; what it is given read-only it can write to wherever you can`,
    ]);
  });

  test.each<[string, LaunchOptions]>([
    ["the host's network", { network: "host" }],
    ["its caller as the user", { user: { uid: 1000, gid: 100 } }],
    ["a terminal", { terminal: true }],
  ])("has %s anyway", (_, options) => {
    expect(commandFor(options).argv).toEqual(commandFor().argv);
  });
});

describe("native can't", () => {
  test.each<[LaunchOptions, string]>([
    [{ network: "none" }, "can't keep a command from the network"],
    [{ writable: true }, "has no root that could be written to and is gone at the end"],
    [{ hostname: "box" }, "can't give a command a host name of its own"],
    [{ dropCapabilities: ["ALL"] }, "can't take capabilities away"],
    [{ user: { uid: 0, gid: 0 } }, "can't run a command as somebody else"],
    [{ user: { uid: 1000, gid: 0 } }, "can't run a command as somebody else"],
    [{ tmpfs: ["/tmp"] }, "can't mount anything, and so not a fresh /tmp"],
    [
      { binds: [{ source: "/a", target: "/b", access: "ro" }] },
      "can't mount anything: /a can't be seen at /b",
    ],
    [{ output: { source: "/a", target: "/b" } }, "can't mount anything: /a can't be seen at /b"],
    [{ command: ["A=b", "c"] }, "can't start a command of the name A=b"],
  ])("do without a sandbox: %j", (options, message) => {
    expect(refusal(() => commandFor(options))).toMatchObject({
      code: "SANDBOX",
      message: `native ${message}`,
      hint: "choose a runtime that isolates, bwrap for instance",
    });
  });
});
