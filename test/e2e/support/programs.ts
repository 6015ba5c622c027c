import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import { test } from "vitest";
import { isRoot } from "./users.js";

/** The Debian package of each program that the end-to-end tests may drive. */
const debianPackages = {
  apptainer: "apptainer",
  "apt-get": "apt",
  bindfs: "bindfs",
  bsdtar: "libarchive-tools",
  bwrap: "bubblewrap",
  catatonit: "catatonit",
  crun: "crun",
  "docker-registry": "docker-registry",
  getfattr: "attr",
  gzip: "gzip",
  htpasswd: "apache2-utils",
  "mkfs.btrfs": "btrfs-progs",
  "mkfs.exfat": "exfatprogs",
  "mkfs.ext4": "e2fsprogs",
  "mkfs.xfs": "xfsprogs",
  mmdebstrap: "mmdebstrap",
  "mount.exfat-fuse": "exfat-fuse",
  munged: "munge",
  openssl: "openssl",
  patchelf: "patchelf",
  pigz: "pigz",
  podman: "podman",
  prlimit: "util-linux",
  "prometheus-node-exporter": "prometheus-node-exporter",
  runc: "runc",
  script: "bsdutils",
  setpriv: "util-linux",
  shellcheck: "shellcheck",
  skopeo: "skopeo",
  slurmctld: "slurmctld",
  slurmd: "slurmd",
  srun: "slurm-client",
  strace: "strace",
  tar: "tar",
  umoci: "umoci",
  unshare: "util-linux",
  xfs_io: "xfsprogs",
  zstd: "zstd",
} as const;

/** A program that a test drives. */
export type Program = keyof typeof debianPackages;

/** What a test needs from its machine: a program, or to be run by root. */
export type Need = Program | "root";

/** The path of a program on PATH, or undefined. */
export function findProgram(program: Program): string | undefined {
  const { PATH = "" } = process.env;
  return PATH.split(":")
    .map((dir) => join(dir, program))
    .find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** One sentence for everything in `needs` that this machine lacks; empty when it lacks nothing. */
export function missingNeeds(needs: readonly Need[]): string {
  const problems = needs.flatMap((need) => {
    if (need === "root") {
      return isRoot() ? [] : ["this test runs only as root"];
    }
    return findProgram(need) === undefined
      ? [`${need} is not installed (Debian package ${debianPackages[need]})`]
      : [];
  });
  return [...new Set(problems)].join("; ");
}

/** The part of a vitest test context that can skip its test. */
export interface Skippable {
  readonly skip: (note: string) => void;
}

/**
 * Skips the running test, with the reason in the report, when the machine lacks one of `needs`.
 * Where the environment variable CI is set nothing may be missing, and the test fails instead.
 */
export function requirePrograms(context: Skippable, needs: readonly Need[]): void {
  const missing = missingNeeds(needs);
  if (missing === "") {
    return;
  }
  const { CI = "" } = process.env;
  if (CI !== "") {
    throw new Error(`${missing}; with CI set, tests may not be skipped.`);
  }
  context.skip(missing);
}

/**
 * A vitest `test` whose tests run only where all of `needs` are there (see {@link requirePrograms}).
 * Hooks of the surrounding suite run all the same: build images inside the tests.
 */
export function testNeeding(needs: readonly Need[]) {
  return test.extend<{ needs: readonly Need[] }>({
    needs: [
      async ({ skip }, use) => {
        requirePrograms({ skip }, needs);
        await use(needs);
      },
      { auto: true },
    ],
  });
}
