import { describe, expect, test } from "vitest";
import type { BindMount, Mount } from "../../../src/launch/mount.js";
import { mountFaults } from "../../../src/launch/preflight/mount-faults.js";
import { madeUpHost } from "./made-up-host.js";

const host = madeUpHost({
  "/rootfs/proc": "dir",
  "/rootfs/tmp": "dir",
  "/rootfs/data": "dir",
  "/rootfs/etc/hosts": { data: "" },
  "/rootfs/var/run": { link: "/run" },
  "/rootfs/run": "dir",
  "/in": "dir",
  "/in/sub": "dir",
  "/in/file": { data: "" },
  "/link": { link: "/in" },
  "/locked": "locked dir",
  "/secret": { secret: "" },
  "/node": { secret: "" },
});

function bind(source: string, target: string, access: BindMount["access"] = "ro"): BindMount {
  return { type: "bind", source, target, access };
}

const fresh: readonly Mount[] = [
  { type: "proc", target: "/proc" },
  { type: "tmpfs", target: "/tmp" },
];

function faults(...mounts: readonly Mount[]): readonly string[] {
  const found = mountFaults([...fresh, ...mounts], { root: "/rootfs", host });
  return found.map(({ code, message }) => `${code}: ${message}`);
}

describe("mounts that can be made", () => {
  test.each([
    { what: "nothing but what is fresh", mounts: [] },
    { what: "a directory on a directory", mounts: [bind("/in", "/data")] },
    { what: "a link to a directory", mounts: [bind("/link", "/data")] },
    { what: "a file on a file", mounts: [bind("/in/file", "/etc/hosts")] },
    { what: "what has no place yet in a fresh directory", mounts: [bind("/in", "/tmp/a/b")] },
    { what: "a directory in place of a fresh one", mounts: [bind("/in", "/tmp")] },
    { what: "one below another", mounts: [bind("/in", "/data"), bind("/in", "/data/sub")] },
    {
      what: "what has no place yet in a directory that can be written to",
      mounts: [bind("/in", "/data", "rw"), bind("/in", "/data/new")],
    },
    { what: "a device that only its driver may open", mounts: [bind("/node", "/tmp/d", "dev")] },
    {
      what: "what is protected twice",
      mounts: [bind("/in", "/data"), bind("/in", "/data")],
    },
  ])("$what", ({ mounts }) => {
    expect(faults(...mounts)).toEqual([]);
  });
});

describe("mounts that can't be made", () => {
  test.each([
    {
      what: "a source that is missing, which may have been there before",
      mounts: [bind("/gone", "/data")],
      fault: "BIND_SOURCE_MISSING: /gone does not exist",
    },
    {
      what: "a directory that nobody may look into",
      mounts: [bind("/locked", "/data")],
      fault: "BIND_SOURCE_UNREADABLE: /locked is to be mounted, but you may not read it",
    },
    {
      what: "a file that nobody may read",
      mounts: [bind("/secret", "/etc/hosts")],
      fault: "BIND_SOURCE_UNREADABLE: /secret is to be mounted, but you may not read it",
    },
    {
      what: "a target that is not there",
      mounts: [bind("/in", "/nowhere")],
      fault: "MOUNT_TARGET_MISSING: the mount target /nowhere is not in the image",
    },
    {
      what: "a target that is not in what is mounted read-only there",
      mounts: [bind("/in", "/data"), bind("/in", "/data/new")],
      fault: "MOUNT_TARGET_MISSING: the mount target /data/new is not in /in",
    },
    {
      what: "a target that a link leads away from",
      mounts: [bind("/in", "/var/run")],
      fault: "MOUNT_TARGET_LINK: the mount target /var/run leads through a link to /run",
    },
    {
      what: "a directory on a file",
      mounts: [bind("/in", "/etc/hosts")],
      fault: "MOUNT_TARGET_KIND: /in is a directory, but its mount target /etc/hosts is a file",
    },
    {
      what: "a file on a directory",
      mounts: [bind("/in/file", "/data")],
      fault: "MOUNT_TARGET_KIND: /in/file is a file, but its mount target /data is a directory",
    },
    {
      what: "a fresh directory on a file",
      mounts: [{ type: "tmpfs", target: "/etc/hosts" } as const],
      fault:
        "MOUNT_TARGET_KIND: an empty tmpfs is a directory, but its mount target /etc/hosts is a file",
    },
    {
      what: "what another one at the same place hides",
      mounts: [bind("/in/sub", "/data"), bind("/in", "/data")],
      fault: "MOUNT_HIDDEN: /in/sub at /data is hidden by /in at /data",
    },
    {
      what: "what a fresh directory above hides",
      mounts: [bind("/in", "/data"), { type: "tmpfs", target: "/data" } as const],
      fault: "MOUNT_HIDDEN: /in at /data is hidden by an empty tmpfs at /data",
    },
  ])("$what", ({ mounts, fault }) => {
    expect(faults(...mounts)).toEqual([fault]);
  });

  test("are all named, in their order", () => {
    const found = faults(bind("/gone", "/data"), bind("/in", "/nowhere"));
    expect(found.map((text) => text.split(":")[0])).toEqual([
      "BIND_SOURCE_MISSING",
      "MOUNT_TARGET_MISSING",
    ]);
  });
});
