import { describe, expect, test } from "vitest";
import { doubtfulKinds, fileSystemKind, kindOfType } from "../../src/host/file-system-kind.js";

describe("kindOfType", () => {
  test.each([
    [0x6969, "nfs", "network"],
    [0x0bd00bd0, "lustre", "network"],
    [0x47504653, "gpfs", "network"],
    [0x19830326, "beegfs", "network"],
    [0x00c36400, "ceph", "network"],
    [0xff534d42, "cifs", "network"],
    // As a signed number, which some kernels give.
    [0xff534d42 | 0, "cifs", "network"],
    [0xfe534d42, "cifs", "network"],
    [0x01021997, "9p", "network"],
    [0x65735546, "fuse", "fuse"],
    [0x01021994, "tmpfs", "memory"],
    [0x858458f6, "ramfs", "memory"],
    [0xef53, "other", undefined],
    [0x58465342, "other", undefined],
    [0x794c7630, "other", undefined],
    [0x9123683e, "btrfs", undefined],
    [0, "other", undefined],
  ])("0x%s is %s", (type, name, doubt) => {
    expect(kindOfType(type)).toMatchObject({ name });
    expect(kindOfType(type).doubt).toBe(doubt);
  });
});

test("fileSystemKind asks the system", () => {
  expect(fileSystemKind("/proc")).toEqual({ name: "other" });
});

test("doubtfulKinds has each name once", () => {
  expect(doubtfulKinds).toContain("nfs");
  expect(doubtfulKinds).not.toContain("btrfs");
  expect(new Set(doubtfulKinds).size).toBe(doubtfulKinds.length);
});
