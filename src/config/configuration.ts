import type { Share } from "../host/quantity.js";
import type { ExecutionType } from "./value-types.js";

/** What a configuration file says. What it does not speak of is undefined. */
export interface Configuration {
  /** The file; undefined where there is none. */
  readonly file: string | undefined;
  readonly cache: CacheSettings;
  readonly targets: ReadonlyMap<string, Target>;
  /** The name of the target that is meant where nobody names one. */
  readonly usualTarget: string | undefined;
}

/** `[cache]`. */
export interface CacheSettings {
  /** What the cache may take, in bytes. */
  readonly maxSize?: number | undefined;
  /** What is to be free of its disk. */
  readonly minFree?: Share | undefined;
  /** How long an entry stays that nobody uses, in seconds. */
  readonly maxAge?: number | undefined;
  /** How many entries stay whatever the others ask for. */
  readonly keepLast?: number | undefined;
  /** When a staging is over and the cache takes more than this, it shrinks to `lowWatermark`. */
  readonly highWatermark?: Share | undefined;
  readonly lowWatermark?: Share | undefined;
  /** Whether a staging that lacks room may remove entries. */
  readonly autoGc?: boolean | undefined;
}

/** `[targets.NAME]`. */
export interface Target {
  readonly name: string;
  readonly nodeLocalPath: string | undefined;
  readonly basePath: string | undefined;
  /** The impure mode; undefined where it is off. */
  readonly hostPaths: HostPaths | undefined;
  /** `execution_types` of `[targets.NAME.local]`. */
  readonly localTypes: readonly ExecutionType[] | undefined;
  /** `execution_types` of `[targets.NAME.slurm]`, for Slurm's jobs. */
  readonly slurmTypes: readonly ExecutionType[] | undefined;
}

/** What of the host a sandbox sees at the same path, read-write. */
export interface HostPaths {
  /** `mount_host_paths`: all directories at the top that the image does not have itself. */
  readonly all: boolean;
  /** `mount_paths`. */
  readonly paths: readonly string[];
}

export const noConfiguration: Configuration = {
  file: undefined,
  cache: {},
  targets: new Map(),
  usualTarget: undefined,
};
