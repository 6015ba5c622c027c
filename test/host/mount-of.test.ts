import { describe, expect, test } from "vitest";
import { findMount, mountOf } from "../../src/host/mount-of.js";

const mountinfo = `22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 27 0:25 / /dev/shm rw - tmpfs tmpfs rw
31 27 8:1 / /scratch rw,noatime shared:7 master:2 - xfs /dev/sda1 rw,attr2
32 31 0:40 / /scratch/my\\040disk rw - fuse.sshfs user@host:/a\\134b rw
33 27 8:2 / /scratch rw - ext4 /dev/sda2 rw
34 27 8:2 /sub /data/sub rw - ext4 /dev/sda2 rw

broken line
`;

describe("findMount", () => {
  test.each([
    ["/home/u", "254:0", "/", "ext4", "/dev/vda"],
    ["/", "254:0", "/", "ext4", "/dev/vda"],
    ["/dev/shm/x", "0:25", "/dev/shm", "tmpfs", "tmpfs"],
    ["/dev/shmx", "254:0", "/", "ext4", "/dev/vda"],
    ["/scratch/my disk/a", "0:40", "/scratch/my disk", "fuse.sshfs", "user@host:/a\\b"],
    // Mounted over: the latest is the one that is seen.
    ["/scratch/cache", "8:2", "/scratch", "ext4", "/dev/sda2"],
    ["/scratch/cache", "8:1", "/scratch", "xfs", "/dev/sda1"],
    ["/data/sub/x", "8:2", "/data/sub", "ext4", "/dev/sda2"],
    // A subvolume has a device number that no mount has.
    ["/scratch/volume", "0:77", "/scratch", "ext4", "/dev/sda2"],
  ])("%s of device %s lies on %s", (path, device, mountPoint, type, source) => {
    expect(findMount(mountinfo, { path, device })).toEqual({ mountPoint, type, source });
  });

  test("nothing is above a path that is no path", () => {
    expect(findMount(mountinfo, { path: "relative", device: "8:1" })).toBeUndefined();
    expect(findMount("", { path: "/a", device: "8:1" })).toBeUndefined();
  });
});

test("mountOf knows this machine's mounts", () => {
  expect(mountOf("/proc/self/status")).toMatchObject({ mountPoint: "/proc", type: "proc" });
  expect(mountOf("/nowhere/at/all")).toBeUndefined();
});
