import { mkdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type LaunchOptions, planLaunch } from "../../src/launch/plan.js";
import { findFaults, preflight } from "../../src/launch/preflight.js";
import type { RuntimeName } from "../../src/launch/runtime.js";
import { writeFiles } from "../support/file-set.js";
import { refusal } from "../support/refusal.js";
import { scratchDirectory } from "../support/scratch-directory.js";
import { madeUpHost } from "./preflight/made-up-host.js";

const config = { env: ["PATH=/bin"], entrypoint: null, cmd: ["app"], workingDir: "/work" };
const place = { rootfs: "/rootfs", config, mountPoints: [] };
const fresh = { "/rootfs/proc": "dir", "/rootfs/dev": "dir", "/rootfs/tmp": "dir" } as const;

const host = madeUpHost({
  ...fresh,
  "/rootfs/run": "dir",
  "/rootfs/bin/app": "",
  "/rootfs/work": "dir",
  "/rootfs/file": "",
  "/usr/bin/of-host": "",
  "/drv/nvidia-smi": "",
});

function faults(options: LaunchOptions = {}, name: RuntimeName = "bwrap") {
  const plan = planLaunch(place, options);
  const [first, ...others] = plan.argv;
  const command = { argv: [first, ...others] as const, env: { PATH: "/usr/bin" }, fds: [] };
  const limitsOf = () => ({ page: 4096, stack: 8 * 1024 ** 2 });
  const found = findFaults(plan, { command, runtime: { name, program: name }, host, limitsOf });
  return found.map(({ code }) => code);
}

describe("a plan", () => {
  test("may have no faults", () => {
    expect(faults()).toEqual([]);
  });

  test.each<{ what: string; options: LaunchOptions; codes: readonly string[] }>([
    {
      what: "a bind's source, the working directory and the command",
      options: {
        binds: [{ source: "/gone", target: "/tmp/x", access: "ro" }],
        workingDir: "/nowhere",
        command: ["nosuch"],
      },
      codes: ["BIND_SOURCE_MISSING", "WORKING_DIRECTORY_MISSING", "COMMAND_NOT_FOUND"],
    },
    {
      what: "the working directory",
      options: { workingDir: "/file" },
      codes: ["WORKING_DIRECTORY_KIND"],
    },
    {
      what: "an argument, which is counted once",
      options: { command: ["app", "x".repeat(200_000)] },
      codes: ["TOO_LONG"],
    },
    {
      what: "a variable, though it is no part of the command line",
      options: { env: { A: "x".repeat(200_000) } },
      codes: ["TOO_LONG"],
    },
    { what: "a variable's bytes", options: { env: { A: "\0" } }, codes: ["NUL_BYTE"] },
  ])("may have faults of $what", ({ options, codes }) => {
    expect(faults(options)).toEqual(codes);
  });

  test("starts anywhere below a fresh directory", () => {
    expect(faults({ workingDir: "/tmp/later" })).toEqual([]);
  });

  test("finds the programs of a GPU's driver after those of the image", () => {
    const programs = "/run/gpu/bin";
    const mount = {
      type: "bind",
      source: "/drv/nvidia-smi",
      target: `${programs}/nvidia-smi`,
      access: "ro",
    } as const;
    const gpu = {
      vendor: "nvidia",
      mounts: [mount],
      libraryPath: [],
      programPath: [programs],
    } as const;
    expect(faults({ command: ["nvidia-smi"] })).toEqual(["COMMAND_NOT_FOUND"]);
    expect(faults({ command: ["nvidia-smi"], gpu })).toEqual([]);
  });
});

describe("without a sandbox", () => {
  test("the command is one of the host's, by the PATH that it is started with", () => {
    expect(faults({ command: ["of-host"] }, "native")).toEqual([]);
    expect(faults({ command: ["app"] }, "native")).toEqual(["COMMAND_NOT_FOUND"]);
    expect(faults({ command: ["/rootfs/bin/app"] }, "native")).toEqual([]);
  });
});

describe("without a sandbox, a working directory", () => {
  test("counts where it was asked for", () => {
    expect(faults({ command: ["of-host"], workingDir: "/nowhere" }, "native")).toEqual([
      "WORKING_DIRECTORY_MISSING",
    ]);
    expect(faults({ command: ["./of-host"], workingDir: "/usr/bin" }, "native")).toEqual([]);
  });
});

describe("what is refused", () => {
  /** A plan for real directories, and what is refused of it. */
  function refused(options: LaunchOptions, before: () => void = () => {}) {
    const rootfs = writeFiles(scratchDirectory(), new Map([["bin/app", ""]]));
    for (const name of ["proc", "dev", "tmp", "run", "work", "data"]) mkdirSync(join(rootfs, name));
    const plan = planLaunch({ ...place, rootfs }, options);
    before();
    const command = { argv: plan.argv, env: plan.env, fds: [] };
    return refusal(() =>
      preflight(plan, { command, runtime: { name: "bwrap", program: "bwrap" } }),
    );
  }

  test("is a bind's source that went since the plan was made", () => {
    const source = join(scratchDirectory(), "goes");
    mkdirSync(source);
    const binds = [{ source, target: "/data", access: "ro" }] as const;
    expect(refused({ binds, command: ["/tmp/later"] }, () => rmdirSync(source))).toMatchObject({
      code: "SANDBOX",
      message: `${source} does not exist`,
      findings: [{ code: "BIND_SOURCE_MISSING" }],
    });
  });

  test("has the code and status of the first fault, and says how many there are", () => {
    expect(refused({ command: ["nosuch"] })).toMatchObject({
      code: "COMMAND_NOT_FOUND",
      exitStatus: 127,
      message: "the sandbox has no command nosuch",
    });
    expect(refused({ workingDir: "/nowhere", command: ["nosuch"] })).toMatchObject({
      code: "SANDBOX",
      exitStatus: 125,
      message: "the working directory /nowhere is not in the sandbox (and 1 more)",
      findings: [{ code: "WORKING_DIRECTORY_MISSING" }, { code: "COMMAND_NOT_FOUND" }],
    });
  });

  test("has the status of a shell for a file that is not executable", () => {
    expect(refused({ command: ["/bin/app"] })).toMatchObject({
      code: "COMMAND_NOT_EXECUTABLE",
      exitStatus: 126,
    });
  });
});
