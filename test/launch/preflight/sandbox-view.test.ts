import { describe, expect, test } from "vitest";
import type { Mount } from "../../../src/launch/mount.js";
import { SandboxView } from "../../../src/launch/preflight/sandbox-view.js";
import { madeUpHost } from "./made-up-host.js";

const host = madeUpHost({
  "/bin/host-only": "",
  "/rootfs/bin": { link: "usr/bin" },
  "/rootfs/usr/bin/sh": "",
  "/rootfs/usr/bin/absolute": { link: "/usr/bin/sh" },
  "/rootfs/usr/bin/up": { link: "../../../../../bin/host-only" },
  "/rootfs/usr/bin/through-mount": { link: "/data/tool" },
  "/rootfs/usr/bin/loop": { link: "loop" },
  "/rootfs/usr/bin/dangling": { link: "/nowhere" },
  "/rootfs/data/hidden": "",
  "/rootfs/tmp/of-image": "",
  "/rootfs/escape": { link: "/tmp/x" },
  "/scratch/tool": "",
  "/scratch/back": { link: "/usr/bin/sh" },
  "/scratch-link": { link: "/scratch" },
  "/scratch/deep/mine": "",
  "/other/theirs": "",
});

const mounts: readonly Mount[] = [
  { type: "tmpfs", target: "/tmp" },
  { type: "bind", source: "/scratch-link", target: "/data", access: "ro" },
  { type: "bind", source: "/other", target: "/data/deep", access: "ro" },
  { type: "bind", source: "/scratch/tool", target: "/tmp/a/tool", access: "ro" },
];

const view = new SandboxView({ root: "/rootfs", mounts, host });

describe("a path of a sandbox", () => {
  test.each([
    { path: "/", kind: "directory", leadsTo: "" },
    { path: "/bin/sh", kind: "file", leadsTo: "usr/bin/sh" },
    { path: "/bin/absolute", kind: "file", leadsTo: "usr/bin/sh" },
    { path: "/bin/loop", kind: "missing", leadsTo: "bin/loop" },
    { path: "/bin/dangling", kind: "missing", leadsTo: "nowhere" },
    { path: "/bin/host-only", kind: "missing", leadsTo: "usr/bin/host-only" },
    { path: "/bin/sh/x", kind: "missing", leadsTo: "usr/bin/sh/x" },
  ])("$path of the root is $kind", ({ path, kind, leadsTo }) => {
    expect(view.find(path)).toMatchObject({ kind, path: leadsTo });
  });

  test("never leads out of the sandbox", () => {
    expect(view.find("/bin/up")).toMatchObject({ kind: "missing", path: "usr/bin/host-only" });
  });

  test.each([
    { path: "/data", kind: "directory", onHost: "/scratch-link" },
    { path: "/data/tool", kind: "file", onHost: "/scratch-link/tool" },
    { path: "/bin/through-mount", kind: "file", onHost: "/scratch-link/tool" },
    { path: "/data/hidden", kind: "missing", onHost: "/scratch-link/hidden" },
    { path: "/data/deep/theirs", kind: "file", onHost: "/other/theirs" },
    { path: "/data/deep/mine", kind: "missing", onHost: "/other/mine" },
    { path: "/data/back", kind: "file", onHost: "/rootfs/usr/bin/sh" },
  ])("$path of a bind is $kind", ({ path, kind, onHost }) => {
    expect(view.find(path)).toMatchObject({ kind, onHost });
  });

  test.each([
    { path: "/tmp", kind: "directory" },
    { path: "/tmp/x", kind: "unknown" },
    { path: "/tmp/of-image", kind: "unknown" },
    { path: "/escape", kind: "unknown" },
    { path: "/tmp/a", kind: "directory" },
    { path: "/tmp/a/tool", kind: "file" },
  ])("$path of a fresh directory is $kind", ({ path, kind }) => {
    expect(view.find(path).kind).toBe(kind);
  });
});
