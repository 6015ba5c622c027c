import { statSync } from "node:fs";
import { join } from "node:path";
import { StageError } from "../errors.js";
import { printable } from "../host/byte-string.js";
import { isWithin } from "../host/is-within.js";
import type { MountPoint, MountRequest } from "../mountpoints/mount-point.js";
import type { Bind } from "./bind.js";
import { type FoundHostPath, type HostPaths, hostPathBinds } from "./grants/host-paths.js";
import { isHollow } from "./grants/is-hollow.js";
import { nameServiceMounts } from "./grants/name-service.js";
import { nvidiaAccess } from "./grants/nvidia.js";
import type { BindMount } from "./mount.js";
import type { GpuAccess, Network } from "./plan.js";

export interface GrantOptions {
  /** As given: only `nvidia` means something. */
  readonly gpu: string | undefined;
  readonly network: Network;
  /** The impure mode; undefined where it is off. */
  readonly hostPaths: HostPaths | undefined;
  /** The configuration that has it on, for messages. */
  readonly configuration?: string | undefined;
}

/** What of the host a sandbox is given beside what is bound by name. */
export interface Grants {
  readonly hostPaths: readonly FoundHostPath[];
  readonly gpu: GpuAccess | undefined;
  readonly nameService: readonly BindMount[];
  readonly mountRequests: readonly MountRequest[];
  /** One sentence each, for people. */
  readonly warnings: readonly string[];
}

/**
 * Looks on this host for what is to be granted.
 * @throws StageError USAGE, CONFIG; SANDBOX where it is not there
 */
export function grantsOf(options: GrantOptions): Grants {
  const { hostPaths: wanted, configuration } = options;
  const hostPaths = wanted ? hostPathBinds(wanted, { file: configuration }) : [];
  const gpu = options.gpu === undefined ? undefined : gpuOf(options.gpu);
  return {
    hostPaths,
    gpu: gpu?.access,
    // The standard mount points have places for it.
    nameService: options.network === "host" ? nameServiceMounts() : [],
    mountRequests: [
      // What the image has there may be of any kind: it is then left alone.
      ...hostPaths.map(({ target, kind, isOptional }) => {
        return { target, kind: isOptional ? ("any" as const) : kind };
      }),
      ...(gpu?.access.mounts ?? []).flatMap(requestFor),
    ],
    warnings: gpu?.warnings ?? [],
  };
}

/**
 * The paths of the impure mode that a staged image gets: those that are listed, and of the others
 * those where it has nothing itself.
 */
export function hostPathsFor(
  { hostPaths }: Pick<Grants, "hostPaths">,
  { rootfs, mountPoints }: { rootfs: string; mountPoints: readonly MountPoint[] },
): readonly Bind[] {
  const isFree = (target: string) => {
    const point = mountPoints.find((each) => each.target === target);
    return point?.kind === "dir" && isHollow(join(rootfs, point.path));
  };
  const granted = hostPaths.filter(({ target, isOptional }) => !isOptional || isFree(target));
  return granted.map(({ source, target, access }) => ({ source, target, access }));
}

/** What people are told when a sandbox sees parts of the host. */
export function impurityWarnings(
  binds: readonly Bind[],
  configuration: string | undefined,
): readonly string[] {
  if (binds.length === 0) return [];
  const paths = binds.map(({ target }) => target).join(", ");
  const by = configuration === undefined ? "the configuration" : configuration;
  return [
    `${by} has the sandbox see and change the host's ${paths}: what it does can't be reproduced elsewhere`,
  ];
}

function gpuOf(vendor: string) {
  if (vendor === "nvidia") return nvidiaAccess();
  throw new StageError("USAGE", `--gpu takes nvidia, not "${printable(vendor)}"`);
}

/** What is fresh in every sandbox needs no place in the rootfs. */
const fresh = ["/run", "/dev"];

function requestFor({ source, target }: BindMount): readonly MountRequest[] {
  if (fresh.some((directory) => isWithin(target, directory))) return [];
  return [{ target, kind: statSync(source).isDirectory() ? "dir" : "file" }];
}
