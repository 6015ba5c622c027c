import { describe, expect, test } from "vitest";
import type { Mount } from "../../../src/launch/mount.js";
import { commandFault } from "../../../src/launch/preflight/command-faults.js";
import { SandboxView } from "../../../src/launch/preflight/sandbox-view.js";
import { elfFor } from "./elf.js";
import { madeUpHost } from "./made-up-host.js";

const host = madeUpHost({
  "/rootfs/bin/sh": elfFor("/lib64/ld.so"),
  "/rootfs/lib64/ld.so": elfFor(undefined),
  "/rootfs/bin/static": elfFor(undefined),
  "/rootfs/bin/no-line": "echo no #! line",
  "/rootfs/bin/script": "#! /bin/sh -e\nexit",
  "/rootfs/bin/of-script": "#!/bin/script\n",
  "/rootfs/bin/from-windows": "#!/bin/sh\r\nexit\r\n",
  "/rootfs/bin/no-python": "#!/usr/bin/python3\n",
  "/rootfs/bin/of-no-python": "#!/bin/no-python\n",
  "/rootfs/bin/of-data": "#!/bin/data\n",
  "/rootfs/bin/of-mounted": "#!/data/tool\n",
  "/rootfs/bin/of-fresh": "#!/tmp/interpreter\n",
  "/rootfs/bin/nix": elfFor("/nix/store/abc-glibc/lib/ld-linux.so.2"),
  "/rootfs/bin/nix-link": { link: "/nix/store/abc-tool/bin/tool" },
  "/rootfs/bin/loop": "#!/bin/loop\n",
  "/rootfs/bin/data": { data: "" },
  "/rootfs/sbin/data": "runs here",
  "/rootfs/home/own": "",
  "/rootfs/locked": "locked dir",
  "/rootfs/bin/of-locked": "#!/locked/sh\n",
  "/scratch/tool": "",
  "/usr/bin/python3": "",
  "/nix/store/abc-glibc/lib/ld-linux.so.2": "",
  "/nix/store/abc-tool/bin/tool": "",
});

const mounts: readonly Mount[] = [
  { type: "proc", target: "/proc" },
  { type: "tmpfs", target: "/tmp" },
  { type: "bind", source: "/scratch", target: "/data", access: "ro" },
];

function faultOf(
  name: string,
  { path = "/bin", more = [] }: { path?: string; more?: readonly Mount[] } = {},
): string | undefined {
  const view = new SandboxView({ root: "/rootfs", mounts: [...mounts, ...more], host });
  const fault = commandFault({ name, path, workingDir: "/home", whose: "the sandbox", view, host });
  return fault && `${fault.code}: ${fault.message} (${fault.hint})`;
}

describe("a command that can be started", () => {
  test.each([
    { what: "on PATH", name: "sh" },
    { what: "by its path", name: "/bin/sh" },
    { what: "by a path from the working directory", name: "./own" },
    { what: "in the working directory, for an empty part of PATH", name: "own", path: "/bin:" },
    { what: "later on PATH than a file that is none", name: "data", path: "/bin:/sbin" },
    { what: "in a bind's source", name: "/data/tool" },
    { what: "on PATH in a bind's source", name: "tool", path: "/bin:/data" },
    { what: "without an interpreter", name: "static" },
    { what: "that is no program, which a shell takes", name: "no-line" },
    { what: "that is a script", name: "script" },
    { what: "whose interpreter is a script", name: "of-script" },
    { what: "whose interpreter is mounted", name: "of-mounted" },
    { what: "that is its own interpreter, which the kernel finds out", name: "loop" },
    { what: "below a fresh directory, where it may come to be", name: "/tmp/x" },
    { what: "in /proc", name: "/proc/self/exe" },
    { what: "with a fresh directory on PATH", name: "nosuch", path: "/bin:/tmp/bin" },
    { what: "whose interpreter may come to be", name: "of-fresh" },
    { what: "where one may not look", name: "/locked/x" },
    { what: "whose interpreter is where one may not look", name: "of-locked" },
    { what: "on PATH after a directory that one may not enter", name: "sh", path: "/locked:/bin" },
  ])("$what", ({ name, path }) => {
    expect(faultOf(name, path === undefined ? {} : { path })).toBeUndefined();
  });

  test("of Nix, with its store", () => {
    const store = {
      type: "bind",
      source: "/nix/store",
      target: "/nix/store",
      access: "ro",
    } as const;
    expect(faultOf("nix", { more: [store] })).toBeUndefined();
    expect(faultOf("nix-link", { more: [store] })).toBeUndefined();
  });
});

test("a directory of PATH that one may not enter has no commands", () => {
  expect(faultOf("nosuch", { path: "/locked:/bin" })).toMatch(/^COMMAND_NOT_FOUND/);
});

describe("a command that can't be started", () => {
  test.each([
    {
      name: "nosuch",
      fault: "COMMAND_NOT_FOUND: the sandbox has no command nosuch (it was looked for in /bin)",
    },
    {
      name: "/bin/nosuch",
      fault:
        "COMMAND_NOT_FOUND: the sandbox has no /bin/nosuch (give a command that the sandbox has)",
    },
    {
      name: "/usr/bin/python3",
      fault:
        "COMMAND_NOT_FOUND: the sandbox has no /usr/bin/python3 (give a command that the sandbox has)",
    },
    {
      name: "",
      fault:
        'COMMAND_NOT_FOUND: the sandbox has no command "" (give a command that the sandbox has)',
    },
    {
      name: "/bin/nix-link",
      fault:
        "COMMAND_NOT_FOUND: the sandbox has no /bin/nix-link (/nix/store/abc-tool/bin/tool is not in the image: to have the host's Nix store, add --nix-store)",
    },
    {
      name: "data",
      fault:
        "COMMAND_NOT_EXECUTABLE: /bin/data is not executable (run it with its interpreter: -- /bin/sh /bin/data)",
    },
    {
      name: "/home",
      fault: "COMMAND_NOT_EXECUTABLE: /home is a directory, no command (name a program)",
    },
    {
      name: "no-python",
      fault:
        "INTERPRETER_MISSING: /bin/no-python is a script for /usr/bin/python3, which the sandbox does not have (the image lacks it: add it to the image, or mount it with --ro-bind)",
    },
    {
      name: "of-no-python",
      fault:
        "INTERPRETER_MISSING: /bin/no-python is a script for /usr/bin/python3, which the sandbox does not have (the image lacks it: add it to the image, or mount it with --ro-bind)",
    },
    {
      name: "of-data",
      fault:
        "INTERPRETER_MISSING: /bin/of-data is a script for /bin/data, which is not executable (the image lacks it: add it to the image, or mount it with --ro-bind)",
    },
    {
      name: "from-windows",
      fault:
        "INTERPRETER_MISSING: /bin/from-windows is a script for /bin/sh\\x0d, which the sandbox does not have (its first line ends as on Windows: take the \\x0d away)",
    },
    {
      name: "nix",
      fault:
        "INTERPRETER_MISSING: /bin/nix needs /nix/store/abc-glibc/lib/ld-linux.so.2, which the sandbox does not have (/nix/store/abc-glibc/lib/ld-linux.so.2 is not in the image: to have the host's Nix store, add --nix-store)",
    },
  ])("$name", ({ name, fault }) => {
    expect(faultOf(name)).toBe(fault);
  });
});
