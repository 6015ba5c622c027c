import { existsSync, lstatSync, readlinkSync, realpathSync, symlinkSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { isWithin } from "../../host/is-within.js";
import { makeOpenDirectory } from "../../host/make-open-directory.js";
import { findProgram } from "../find-program.js";
import { type BindMount, freshMounts } from "../mount.js";
import type { LaunchPlan } from "../plan.js";

/** A rootfs that has nothing of its own, and shows the host's programs. */
export interface ProbeRootfs {
  readonly rootfs: string;
  readonly binds: readonly BindMount[];
  /** Path of `true` on the host and in the rootfs. */
  readonly program: string;
}

/** What programs and their libraries lie in, on Linux of the usual layout. */
const usualTrees = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"];

/** Where distributions keep everything that have another layout. */
const stores = ["/nix/store", "/gnu/store"];

const mountPoints = ["/proc", "/dev", "/sys", "/tmp", "/run", "/etc", "/var", "/.singularity.d"];

/** Makes a rootfs in an empty directory that has what it takes to run the host's `true`. */
export function makeProbeRootfs(directory: string): ProbeRootfs {
  const rootfs = join(directory, "rootfs");
  makeOpenDirectory(rootfs);
  for (const point of mountPoints) makeOpenDirectory(join(rootfs, point));
  const program = hostsTrue();
  const trees = [...usualTrees, ...stores.filter((store) => isWithin(program, store))];
  const binds: BindMount[] = [];
  for (const tree of trees) {
    const stat = lstatSync(tree, { throwIfNoEntry: false });
    // A link of a merged /usr, `bin -> usr/bin`, leads to the same in the rootfs.
    if (stat?.isSymbolicLink()) symlinkSync(readlinkSync(tree), join(rootfs, tree));
    if (!stat?.isDirectory()) continue;
    makeOpenDirectory(join(rootfs, tree));
    binds.push({ type: "bind", source: tree, target: tree, access: "ro" });
  }
  return { rootfs, binds, program };
}

/** The plan of a trivial command in such a rootfs, of the kind that `plan` is of. */
export function probePlan(probe: ProbeRootfs, plan: LaunchPlan): LaunchPlan {
  return {
    ...plan,
    rootfs: probe.rootfs,
    mounts: [...freshMounts(), ...probe.binds],
    env: { PATH: "/usr/bin:/bin", HOME: "/" },
    workingDir: "/",
    argv: [probe.program],
    hostname: null,
    droppedCapabilities: [],
    gpu: null,
    nameService: [],
    terminal: false,
  };
}

/** Where `true` really lies, under a name of its own: a link to a program of many names stays. */
function hostsTrue(): string {
  const places = ["/usr/bin/true", "/bin/true", findProgram("true", process.env["PATH"])];
  const found = places.find((place) => place !== undefined && existsSync(place)) ?? "/bin/true";
  return existsSync(found) ? join(realpathSync(dirname(found)), basename(found)) : found;
}
