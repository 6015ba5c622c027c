// @ts-check
import { statfsSync } from "node:fs";
import { join } from "node:path";

/**
 * File systems where a cache of root file systems does not belong, by the number that statfs(2)
 * gives: they are shared over a network, or live in memory.
 */
const UNFIT = new Set([
  0x6969, // NFS
  0xff534d42, // CIFS
  0xfe534d42, // SMB2
  0x0bd00bd0, // Lustre
  0x47504653, // GPFS
  0x19830326, // BeeGFS
  0x00c36400, // CephFS
  0x5346414f, // AFS
  0x01021997, // 9P
  0x65735546, // FUSE, sshfs among others
  0x01021994, // tmpfs
]);

/**
 * The demo's cache: in the checkout if that is on local disk, else where local disk is usual.
 * @param {string} checkoutDirectory an existing directory of the demo's in the checkout
 */
export function demoCacheDirectory(checkoutDirectory) {
  return UNFIT.has(statfsSync(checkoutDirectory).type >>> 0)
    ? join("/var/tmp", `stage-rootfs-demo-${process.getuid?.() ?? 0}`)
    : join(checkoutDirectory, "cache");
}
