import { type Entry, rootfsOf } from "../cache/entry.js";
import type { Warning } from "../extract/layer-record.js";
import { now } from "../host/clock.js";
import { selectMountPoints } from "../mountpoints/coverage.js";
import type { MountRequest } from "../mountpoints/mount-point.js";
import type { ImageSummary } from "../oci/image.js";
import type { EntryLease } from "./lease-entry.js";
import type { StageRequest } from "./request.js";
import type { ByteCounts, ResultLayer, StageResult, Timings } from "./result.js";
import { singularityDirectory } from "./singularity-place.js";
import type { StagedImage } from "./staged-image.js";

/** What a staging has found and done. */
export interface Staging {
  readonly summary: ImageSummary;
  readonly entry: Entry<StagedImage>;
  readonly requests: readonly MountRequest[];
  /** Whether the rootfs stood already, or another process made it meanwhile. */
  readonly hit: boolean;
  /** DiffIDs of the layers that this process unpacked. */
  readonly unpacked: ReadonlySet<string>;
  /** Bytes that registries have sent. */
  readonly fetched?: number;
  /** What is to be said beside the image's own warnings. */
  readonly warnings?: readonly Warning[];
  readonly lease: EntryLease;
  /** All but the total. */
  readonly timings: Omit<Timings, "totalMs">;
}

export function makeResult(request: StageRequest, staging: Staging): StageResult {
  const { summary, entry, requests, hit, fetched = 0, lease, warnings = [], timings } = staging;
  const { key, details } = entry;
  const layers = layersOf(staging);
  const rootfs = rootfsOf(request.layout, key);
  return {
    schemaVersion: 1,
    rootfs,
    singularity: details.singularity === undefined ? null : singularityDirectory(rootfs),
    key,
    imageId: details.imageId,
    manifestDigest: summary.manifestDigest,
    reference: request.image,
    platform: details.platform,
    hit,
    lease: lease.lease,
    config: details.config,
    layers,
    mountPoints: selectMountPoints(details.mountPoints, requests),
    warnings: [...details.warnings, ...warnings, ...lease.warnings],
    timings: rounded({ ...timings, totalMs: now() - request.startedAt }),
    bytes: { ...countBytes(layers), fetched },
  };
}

function layersOf({ summary, entry, unpacked }: Staging): readonly ResultLayer[] {
  const sizes = new Map(entry.details.layers.map((layer) => [layer.diffId, layer.unpackedSize]));
  return summary.layers.map(({ diffId, digest, size }) => {
    return {
      diffId,
      digest,
      size,
      unpackedSize: sizes.get(diffId) ?? 0,
      reused: !unpacked.has(diffId),
    };
  });
}

/** A layer that occurs twice is read and written once. */
function countBytes(layers: readonly ResultLayer[]): Omit<ByteCounts, "fetched"> {
  const counts = { read: 0, written: 0, reused: 0 };
  for (const layer of new Map(layers.map((layer) => [layer.diffId, layer])).values()) {
    if (layer.reused) counts.reused += layer.unpackedSize;
    else {
      counts.read += layer.size;
      counts.written += layer.unpackedSize;
    }
  }
  return counts;
}

function rounded(timings: Timings): Timings {
  const tenths = (ms: number) => Math.round(ms * 10) / 10;
  return {
    totalMs: tenths(timings.totalMs),
    resolveMs: tenths(timings.resolveMs),
    fetchMs: tenths(timings.fetchMs),
    extractMs: tenths(timings.extractMs),
    assembleMs: tenths(timings.assembleMs),
    waitMs: tenths(timings.waitMs),
  };
}
