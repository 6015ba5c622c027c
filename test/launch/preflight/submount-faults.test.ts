import { describe, expect, test } from "vitest";
import type { Mount } from "../../../src/launch/mount.js";
import { thisHost, writableMounts } from "../../../src/launch/preflight/host.js";
import { submountFaults } from "../../../src/launch/preflight/submount-faults.js";

const host = { writableBelow: (path: string) => (path === "/data" ? ["sub", "other/deep"] : []) };

function bind(source: string, target: string, access: "ro" | "rw" = "ro"): Mount {
  return { type: "bind", source, target, access };
}

describe("a file system below what is mounted read-only", () => {
  test("would be writable", () => {
    const [fault, ...more] = submountFaults([bind("/data", "/in")], host);
    expect(more).toEqual([]);
    expect(fault).toMatchObject({ code: "BIND_SUBMOUNT_WRITABLE", hint: expect.any(String) });
    expect(fault?.message).toContain("/data/sub ");
  });

  test.each<[string, Mount[]]>([
    ["is bound read-only too", [bind("/data/sub", "/in/sub"), bind("/x", "/in/other")]],
    ["is hidden", [{ type: "tmpfs", target: "/in/sub" }, bind("/x", "/in/other/deep", "rw")]],
  ])("is no fault where all of it %s", (_, others) => {
    expect(submountFaults([bind("/data", "/in"), ...others], host)).toEqual([]);
    expect(submountFaults([bind("/data", "/in"), ...others.slice(1)], host)).toHaveLength(1);
  });

  test.each<[string, Mount]>([
    ["writable anyway", bind("/data", "/in", "rw")],
    ["without any", bind("/plain", "/in")],
  ])("is no fault of what is %s", (_, mount) => {
    expect(submountFaults([mount, bind("/", "/elsewhere", "rw")], host)).toEqual([]);
  });
});

test("what is mounted writable is read from the kernel's list, odd names and all", () => {
  const list = [
    "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw",
    "23 22 8:2 / /a\\040b\\134c rw,nosuid - ext4 /dev/sda2 rw",
    "24 22 8:3 / /ro ro,relatime - ext4 /dev/sda3 rw",
    "",
  ];
  expect(writableMounts(list.join("\n"))).toEqual(["/", "/a b\\c"]);
});

test("of this host, below its root there is /proc", () => {
  expect(thisHost.writableBelow("/")).toContain("proc");
  expect(thisHost.writableBelow("/nowhere")).toEqual([]);
});
