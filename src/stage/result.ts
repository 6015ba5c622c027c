import type { Warning } from "../extract/layer-record.js";
import type { MountPoint } from "../mountpoints/mount-point.js";
import type { RuntimeConfig } from "../oci/config.js";

/** What staging an image gives. Keys are only ever added. */
export interface StageResult {
  readonly schemaVersion: 1;
  /** Absolute path of the root filesystem. */
  readonly rootfs: string;
  /**
   * Directory with what Apptainer needs to know of the image, to be bound to `/.singularity.d`; null
   * in a shared cache whose owner has not staged the image since there are such.
   */
  readonly singularity: string | null;
  /** The entry's name in the cache. */
  readonly key: string;
  /** Digest of the image's config. */
  readonly imageId: string;
  /** Null where the source has no manifest with a digest. */
  readonly manifestDigest: string | null;
  readonly reference: string;
  readonly platform: string;
  /** Whether the rootfs stood already, or another process made it meanwhile. */
  readonly hit: boolean;
  /** The lease that protects the entry, `slurm-4711` for instance; null where there is none. */
  readonly lease: string | null;
  readonly config: RuntimeConfig;
  /** The base layer first. */
  readonly layers: readonly ResultLayer[];
  /** What was asked for, the standard set included. */
  readonly mountPoints: readonly MountPoint[];
  readonly warnings: readonly Warning[];
  readonly timings: Timings;
  readonly bytes: ByteCounts;
}

export interface ResultLayer {
  readonly diffId: string;
  /** Digest of the blob as it is stored; null where the source states none. */
  readonly digest: string | null;
  /** Length of the blob as it is stored, in bytes. */
  readonly size: number;
  /** Bytes of file content. */
  readonly unpackedSize: number;
  /** Whether the cache had the layer already. */
  readonly reused: boolean;
}

/** Wall times in milliseconds. */
export interface Timings {
  totalMs: number;
  /** Finding the image, its manifest and config. */
  resolveMs: number;
  fetchMs: number;
  /** Unpacking and verifying layers. */
  extractMs: number;
  /** Linking the rootfs together and making mount points. */
  assembleMs: number;
  /** Waiting for other processes. */
  waitMs: number;
}

export interface ByteCounts {
  /** Of layers as they are stored. */
  readonly read: number;
  /** From registries. */
  readonly fetched: number;
  /** File content of layers that were unpacked. */
  readonly written: number;
  /** File content of layers that the cache had. */
  readonly reused: number;
}

/** How far the layers of an image are. */
export interface LayerProgress {
  readonly finished: number;
  readonly total: number;
}

/** What a staging tells while it works. */
export type StageEvent =
  | {
      readonly type: "layer";
      readonly diffId: string;
      /** Length of the blob as it is stored, in bytes. */
      readonly size: number;
      readonly state: "fetching" | "unpacking" | "unpacked" | "reused";
      /** How many of the image's layers are ready by now, each counted once. */
      readonly layers: LayerProgress;
    }
  | {
      /** Another process is at the same work. Told when the wait begins, and then each second. */
      readonly type: "waiting";
      readonly what: string;
      /** That process; null where it can't be told. */
      readonly pid: number | null;
      readonly host: string | null;
      /** Its Slurm job; null where it has none, or has not said so yet, like what follows. */
      readonly job: string | null;
      /** For how long it has been at it, in milliseconds. */
      readonly elapsedMs: number | null;
      /** How many of its layers are ready. */
      readonly layers: LayerProgress | null;
      /** How long this process has waited, in milliseconds. */
      readonly waitedMs: number;
    }
  | { readonly type: "assembling" };
