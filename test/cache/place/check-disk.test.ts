import { readdirSync } from "node:fs";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { checkKindOfDisk, tryDisk } from "../../../src/cache/place/check-disk.js";
import * as kinds from "../../../src/host/file-system-kind.js";
import * as mounts from "../../../src/host/mount-of.js";
import { refusal } from "../../support/refusal.js";
import { scratchDirectory } from "../../support/scratch-directory.js";

vi.mock("../../../src/host/file-system-kind.js", { spy: true });
vi.mock("../../../src/host/mount-of.js", { spy: true });

beforeEach(() => {
  vi.mocked(kinds.fileSystemKind).mockReset();
  vi.mocked(mounts.mountOf).mockReset();
});

/** Has the cache lie on a disk that can't be had everywhere. */
function on(statfsType: number, type: string, source = "server:/export"): void {
  vi.mocked(kinds.fileSystemKind).mockReturnValue(kinds.kindOfType(statfsType));
  vi.mocked(mounts.mountOf).mockReturnValue({ mountPoint: "/data", type, source });
}

describe("checkKindOfDisk", () => {
  test.each([
    [0x6969, "nfs4", "nfs"],
    [0x0bd00bd0, "lustre", "lustre"],
    [0x47504653, "gpfs", "gpfs"],
    [0x19830326, "beegfs", "beegfs"],
    [0x00c36400, "ceph", "ceph"],
    [0xff534d42, "cifs", "cifs"],
    [0x01021997, "9p", "9p"],
  ])("refuses 0x%s, %s, unless %s is allowed by name", (statfsType, type, name) => {
    on(statfsType, type);
    const error = refusal(() => checkKindOfDisk("/data/cache", ["tmpfs"]));
    expect(error).toMatchObject({
      code: "CACHE_UNSUITABLE",
      exitStatus: 78,
      message: `the cache /data/cache is on ${type} (server:/export on /data), which is a network's: locks are not safe there, and small files slow`,
      hint: `choose a local disk with --cache-dir, or allow this one with --allow-disk ${name}`,
    });
    checkKindOfDisk("/data/cache", [name]);
    checkKindOfDisk("/data/cache", [type]);
  });

  test("refuses memory", () => {
    on(0x01021994, "tmpfs", "tmpfs");
    const { message } = refusal(() => checkKindOfDisk("/data/cache", []));
    expect(message).toMatch(/is on tmpfs \(tmpfs on \/data\), which is in memory/);
    checkKindOfDisk("/data/cache", ["tmpfs"]);
  });

  test("refuses what programs serve, by their own type or all of them", () => {
    on(0x65735546, "fuse.sshfs", "user@host:");
    const { message, hint } = refusal(() => checkKindOfDisk("/data/cache", ["fuse.other"]));
    expect(message).toMatch(/is on fuse\.sshfs .* which a program serves/);
    expect(hint).toContain("--allow-disk fuse");
    checkKindOfDisk("/data/cache", ["fuse.sshfs"]);
    checkKindOfDisk("/data/cache", ["fuse"]);
  });

  test("takes a container's disk, and local ones", () => {
    on(0x65735546, "fuse.fuse-overlayfs");
    checkKindOfDisk("/data/cache", []);
    on(0xef53, "ext4");
    checkKindOfDisk("/data/cache", []);
    on(0x794c7630, "overlay");
    checkKindOfDisk("/data/cache", []);
  });

  test("goes by what statfs says where mounts can't be told", () => {
    on(0x6969, "");
    vi.mocked(mounts.mountOf).mockReturnValue(undefined);
    const { message } = refusal(() => checkKindOfDisk("/data/cache", []));
    expect(message).toMatch(/^the cache \/data\/cache is on nfs, which is a network's/);
  });
});

test("tryDisk has nothing against this machine's disk, and leaves nothing there", () => {
  const directory = scratchDirectory();
  tryDisk(directory, directory);
  expect(readdirSync(directory)).toEqual([]);
});
