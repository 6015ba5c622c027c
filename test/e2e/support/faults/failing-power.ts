import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { runArgv, stageRootfsArgv } from "../cli.js";
import { makeScratchDir } from "../places.js";
import type { Need } from "../programs.js";
import { contents, type Staged, stagedBy } from "../staged.js";

/** What a test with a {@link FailingDisk} needs. */
export const failingPowerNeeds: readonly Need[] = ["root", "mkfs.ext4", "mkfs.xfs", "xfs_io"];

/** How each is made: with times in nanoseconds; XFS takes no less than 300 MB. */
const makers = {
  ext4: { size: 64, command: "mkfs.ext4", args: ["-q", "-I", "256"], mounting: "loop" },
  // The disk as it was, if another mount namespace still has it, has the same UUID.
  xfs: { size: 300, command: "mkfs.xfs", args: ["-q"], mounting: "loop,nouuid" },
} as const;

export type DiskKind = keyof typeof makers;

/** A disk whose power can fail, with a cache on it. */
export interface FailingDisk {
  readonly cacheDir: string;
  /**
   * What the disk has not got yet is lost; what it has is there again at once. No process may be at
   * work on it.
   */
  readonly fail: () => Promise<void>;
  /**
   * Has the disk write which names there are, and not yet what is in the files: what another's fsync
   * does, and the worst that can be there when power fails.
   */
  readonly writeNames: () => void;
  /** Ends all writing, as when power fails. Processes still run. */
  readonly cut: () => Promise<void>;
  readonly remove: () => Promise<void>;
}

/** Makes and mounts one, in a file in memory. */
export async function failingDisk(kind: DiskKind): Promise<FailingDisk> {
  const directory = makeScratchDir("power", { mode: 0o755 });
  let file = join(directory, "disk");
  const at = join(directory, "mount");
  const { size, command, args, mounting } = makers[kind];
  writeFileSync(file, "");
  truncateSync(file, size * 1024 ** 2);
  await execa(command, [...args, file]);
  await execa("mkdir", [at]);
  const mount = () => execa("mount", ["-o", mounting, file, at]);
  const umount = () => execa("umount", [at]);
  // As file systems' own tests have it: no further write, not even of the journal, gets through.
  const cut = async () => void (await execa("xfs_io", ["-x", "-c", "shutdown", at]));
  await mount();
  return {
    cacheDir: join(at, "cache"),
    writeNames: () => {
      const other = openSync(join(at, "another"), "w");
      writeSync(other, "what another process writes");
      fsyncSync(other);
      closeSync(other);
    },
    cut,
    fail: async () => {
      await umount();
      // Another test's mount namespace may still have it, and so the file system as it was: a copy
      // of what the disk has got is read anew.
      const before = file;
      file = `${before}+`;
      await execa("cp", ["--sparse=always", before, file]);
      rmSync(before);
      await mount();
    },
    remove: async () => {
      await umount();
      rmSync(directory, { recursive: true });
    },
  };
}

/** The entries of a cache that are marked as outlasting a loss of power. */
export function durableEntries(cacheDir: string): readonly string[] {
  return marked(cacheDir, { parent: "rootfs", names: contents(cacheDir).entries });
}

/** The same of layers. */
export function durableLayers(cacheDir: string): readonly string[] {
  return marked(cacheDir, { parent: "layers", names: contents(cacheDir).layers });
}

function marked(cacheDir: string, of: { parent: string; names: readonly string[] }) {
  const durable = (name: string) => join(cacheDir, "v1", of.parent, name, "durable");
  return of.names.filter((name) => existsSync(durable(name)));
}

/** Stages as after another start of the machine, which has a new boot ID then. */
export async function stageAfterBoot(args: readonly string[]): Promise<Staged> {
  const directory = makeScratchDir("boot", { mode: 0o755 });
  try {
    writeFileSync(join(directory, "boot_id"), `${crypto.randomUUID()}\n`);
    const script = 'mount --bind "$0" /proc/sys/kernel/random/boot_id && exec "$@"';
    const program = stageRootfsArgv(["--json", ...args]);
    const argv = ["-c", script, join(directory, "boot_id"), ...program] as const;
    return stagedBy(await runArgv(["unshare", "--mount", "sh", ...argv], { as: "root" }));
  } finally {
    rmSync(directory, { recursive: true });
  }
}
