import { expect, test } from "vitest";
import { keysInUse } from "../../../src/cache/leases/keys-in-use.js";

test.each([
  [
    "703 661 259:2 /tmp/c/v1/rootfs/sha256-1/rootfs / ro,relatime master:1 - ext4 /dev/x rw",
    "sha256-1",
  ],
  [
    "1 2 0:40 / / rw - overlay overlay rw,lowerdir=/c/v1/rootfs/sha256-2/rootfs,upperdir=/u",
    "sha256-2",
  ],
  ["1 2 0:40 / / rw - overlay overlay rw,lowerdir=/a:/c/v1/rootfs/k/rootfs:/b", "k"],
  ["/var/cache/stage-rootfs/v1/rootfs/sha256-3-mounts-0123/rootfs", "sha256-3-mounts-0123"],
  ["/c/v1/rootfs/sha256-4/rootfs/usr/lib (deleted)", "sha256-4"],
  ["/c/v1/rootfs/sha256-5/rootfs2", undefined],
  ["/c/v1/rootfs/sha256-5", undefined],
  ["/c/v1/layers/sha256-5/tree", undefined],
  ["", undefined],
])("of %j the key in use is %j", (text, key) => {
  expect([...keysInUse([text])]).toEqual(key === undefined ? [] : [key]);
});
