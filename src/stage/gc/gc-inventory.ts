import { lstatSync } from "node:fs";
import { type IndexRecord, indexRecords } from "../../cache/index/index-records.js";
import type { CacheLayout } from "../../cache/layout.js";
import { type DeadLeaseOptions, isDead } from "../../cache/leases/dead-leases.js";
import { isProtecting } from "../../cache/leases/lease-life.js";
import { describeLease } from "../../cache/leases/lease-name.js";
import { namesIn } from "../../cache/removal/abandoned.js";
import type { GcEntry, GcLayer } from "../../cache/removal/gc-plan.js";
import type { Origin } from "../../cache/removal/gc-rank.js";
import {
  type CachedEntry,
  type CachedLayer,
  entriesOf,
  layersOf,
} from "../../cache/removal/inventory.js";
import { isUsedSince, oldestStaging, usualGrace } from "../../cache/removal/remove-layer.js";
import { noRoom, type Room, sumOf } from "../../host/disk-room.js";
import { layerNamesOf } from "../sources/layer-names.js";
import { isStagedImage, type StagedImage } from "../staged-image.js";

export interface InventoryOptions {
  /** In milliseconds since 1970. */
  readonly now: number;
  /** How long after its last use an entry stays, in milliseconds. */
  readonly minAge: number;
  /** Keys of entries that a running process has mounted. */
  readonly keysInUse: ReadonlySet<string>;
  readonly isJobOver?: DeadLeaseOptions["isJobOver"];
  /** Names of layers that somebody is about to use. */
  readonly wantedLayers?: ReadonlySet<string> | undefined;
  /** By key, why entries can't go that were found to. */
  readonly obstacles?: ReadonlyMap<string, string>;
}

/** What garbage collection has to know of a cache. */
export interface GcInventory {
  readonly entries: readonly (GcEntry & { readonly imageId: string })[];
  readonly layers: readonly GcLayer[];
  readonly rest: Room;
  readonly records: readonly IndexRecord[];
}

/** Looks at all of a cache; takes no locks, and walks no trees: sizes are those on record. */
export function takeInventory(layout: CacheLayout, options: InventoryOptions): GcInventory {
  const records = [...indexRecords(layout)];
  const origins = originsBy(records);
  const start = oldestStaging(layout);
  const layers = [...layersOf(layout)].map((layer): GcLayer => {
    const { name, lastUse } = layer;
    const isInUse = isUsedSince(lastUse, start) || (options.wantedLayers?.has(name) ?? false);
    return { name, size: sizeOf(layer), isInUse, isFresh: isRecent(lastUse, options.now) };
  });
  const sizes = new Map(layers.map(({ name, size }) => [name, size]));
  const entries = [...entriesOf(layout, { isDetails: isStagedImage })].map((entry) => {
    const { key, details, lastUse } = entry;
    const names = layerNamesOf(key, details);
    return {
      key,
      imageId: details.imageId,
      own: ownSize(names.map((name) => sizes.get(name) ?? noRoom)),
      layers: names,
      lastUse,
      origin: origins.get(details.imageId) ?? "unknown",
      protection: protectionOf(entry, options),
    };
  });
  return { entries, layers, rest: blobsOf(layout), records };
}

function isRecent(lastUse: number, now: number): boolean {
  return Math.abs(now - lastUse) < usualGrace;
}

/** What a file's last block leaves unused, on average, of blocks of 4 KiB. */
const halfBlock = 2048;

/** About what a layer takes on disk. */
function sizeOf({ bytes = 0, inodes = 0 }: CachedLayer): Room {
  return { bytes: bytes + inodes * halfBlock, inodes };
}

/**
 * About what an entry takes beside its layers: its directories, of which there is one to ten files
 * or so in an image. All else is links.
 */
function ownSize(layers: readonly Room[]): Room {
  const inodes = Math.ceil(sumOf(layers).inodes / 10) + 3;
  return { bytes: inodes * 4096, inodes };
}

function protectionOf(
  { key, lastUse, leases }: CachedEntry<StagedImage>,
  { now, minAge, keysInUse, isJobOver, obstacles }: InventoryOptions,
): string | undefined {
  const living = leases.filter((found) => {
    return isProtecting(found, { now }) && !isDead(found, { now, isJobOver });
  });
  if (living.length > 0) {
    const names = living.slice(0, 3).map(({ lease }) => describeLease(lease));
    const more = living.length > names.length ? ` and ${living.length - names.length} more` : "";
    return `leased by ${names.join(", ")}${more}`;
  }
  if (keysInUse.has(key)) return "in use by a running process";
  return Math.abs(now - lastUse) < minAge ? "used just now" : obstacles?.get(key);
}

/** Where images come from: of several sources the one that is nearest. */
function originsBy(records: readonly IndexRecord[]): ReadonlyMap<string, Origin> {
  const origins = new Map<string, Origin>();
  for (const { kind, isThere, imageIds } of records) {
    const origin = kind === "manifest" ? "registry" : isThere ? "local" : undefined;
    for (const id of origin === undefined ? [] : imageIds) {
      if (origins.get(id) !== "local") origins.set(id, origin ?? "unknown");
    }
  }
  return origins;
}

/** What all of a cache takes. */
export function totalOf({ entries, layers, rest }: GcInventory): Room {
  return sumOf([...entries.map(({ own }) => own), ...layers.map(({ size }) => size), rest]);
}

function blobsOf(layout: CacheLayout): Room {
  const rooms = namesIn(layout.blobs)
    .map((name) => lstatSync(layout.blob(name), { throwIfNoEntry: false }))
    .map((stat) => (stat ? { bytes: stat.blocks * 512, inodes: 1 } : noRoom));
  return sumOf(rooms);
}
