import { rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { onTestFinished } from "vitest";
import { makeScratchDir } from "./places.js";

/** A disk that tests fill up, or that is odd in some way. */
export type DiskKind = "ext4" | "xfs" | "btrfs" | "exfat";

/** How each is made; XFS takes no less than 300 MB. */
const makers: Readonly<Record<DiskKind, readonly [string, ...string[]]>> = {
  ext4: ["mkfs.ext4", "-q"],
  xfs: ["mkfs.xfs", "-q"],
  btrfs: ["mkfs.btrfs", "-q"],
  exfat: ["mkfs.exfat"],
};

/**
 * For root: mounts a new file system, in a sparse file, for the running test. Everybody may write to
 * its root.
 * @param options.size in MiB
 * @returns where it is mounted
 */
export async function mountDisk(
  kind: DiskKind,
  { size, args = [] }: { size: number; args?: readonly string[] },
): Promise<string> {
  const directory = makeScratchDir("disk", { mode: 0o755 });
  const file = join(directory, "disk");
  writeFileSync(file, "");
  truncateSync(file, size * 1024 ** 2);
  const [command, ...usual] = makers[kind];
  await execa(command, [...usual, ...args, file]);
  return await mounted(directory, async (at) => {
    if (kind !== "exfat") {
      await execa("mount", ["-o", "loop", file, at]);
      await execa("chmod", ["1777", at]);
      return;
    }
    // FUSE can't mount a file by itself.
    const { stdout: device } = await execa("losetup", ["-f", "--show", file]);
    onTestFinished(async () => {
      await execa("losetup", ["-d", device]);
    });
    await execa("mount.exfat-fuse", ["-o", "allow_other,umask=022", device, at]);
  });
}

/** For root: mounts a tmpfs, for the running test. @param options as of mount(8) */
export async function mountMemory(options: string): Promise<string> {
  return await mounted(makeScratchDir("disk", { mode: 0o755 }), async (at) => {
    await execa("mount", ["-t", "tmpfs", "-o", `mode=1777,${options}`, "tmpfs", at]);
  });
}

async function mounted(directory: string, mount: (at: string) => Promise<void>): Promise<string> {
  const at = join(directory, "mount");
  await execa("mkdir", [at]);
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  // What was begun last is undone first.
  await mount(at);
  onTestFinished(async () => {
    await execa("umount", [at]);
  });
  return at;
}
