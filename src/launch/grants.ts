import type { MountRequest } from "../mountpoints/mount-point.js";
import type { Bind } from "./bind.js";
import type { BindMount } from "./mount.js";
import type { GpuAccess, Network } from "./plan.js";

export interface GrantOptions {
  /** As given: only `nvidia` means something. */
  readonly gpu: string | undefined;
  readonly network: Network;
  /** The impure mode, read-write at the host's paths; undefined where it is off. */
  readonly hostPaths: HostPaths | undefined;
}

export interface HostPaths {
  /** Whether all directories at the top are meant that the image does not have itself. */
  readonly all: boolean;
  readonly paths: readonly string[];
}

/** What of the host a sandbox is given beside what is bound by name. */
export interface Grants {
  readonly binds: readonly Bind[];
  readonly gpu: GpuAccess | undefined;
  readonly nameService: readonly BindMount[];
  readonly mountRequests: readonly MountRequest[];
  /** One sentence each, for people. */
  readonly warnings: readonly string[];
}

/**
 * Looks on this host for what is to be granted.
 * @throws StageError USAGE, SANDBOX where it is not there
 */
export function grantsOf(_options: GrantOptions): Grants {
  return { binds: [], gpu: undefined, nameService: [], mountRequests: [], warnings: [] };
}
