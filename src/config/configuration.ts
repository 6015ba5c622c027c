import type { Share } from "../host/quantity.js";

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
  /** Keys that were given, and that this version does nothing with: `mount_paths`. */
  readonly unheeded: readonly string[];
}

export const noConfiguration: Configuration = {
  file: undefined,
  cache: {},
  targets: new Map(),
  usualTarget: undefined,
};
