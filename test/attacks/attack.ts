import type { ErrorCode } from "../../src/errors.js";
import type { ByteString } from "../../src/host/byte-string.js";
import type { LayerEntry } from "../support/layers.js";

/** What an attack aims at: a directory outside all trees, as `plantCanary` fills it. */
export interface Aim {
  /** Its absolute path. */
  readonly out: ByteString;
  /** Where `out` leads inside a rootfs: the same without the first slash. */
  readonly at: ByteString;
}

/** A layer's entries, or its archive where that is odd. */
export type AttackLayer = readonly LayerEntry[] | Buffer;

/** What has no further path below it, as `contents` tells it. */
export type Leaves = Readonly<Record<ByteString, string>>;

export interface Attack {
  /** The base layer first. */
  readonly layers: readonly AttackLayer[];
  /** As in `--mount`; the rootfs gets them when it is put together, whatever is in their way. */
  readonly mounts?: readonly string[];
  /** The code it is refused with, or what the rootfs holds when it stays inside. */
  readonly ends: ErrorCode | Leaves;
}

/**
 * An attack, and where it was met: an advisory, another program's test or report. `own` is an idea
 * of ours.
 */
export type AttackCase = readonly [name: string, origin: string, attackOn: (aim: Aim) => Attack];
