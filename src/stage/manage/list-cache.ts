import { isAlive, isProtecting } from "../../cache/leases/lease-life.js";
import { describeLease } from "../../cache/leases/lease-name.js";
import type { FoundLease } from "../../cache/leases/leases.js";
import { type CachedEntry, entriesOf, layersOf } from "../../cache/removal/inventory.js";
import { fromSystemError } from "../../errors.js";
import type { Liveness } from "../../host/process-identity.js";
import { layerNamesOf } from "../sources/layer-names.js";
import {
  type ImageSource,
  isStagedImage,
  type StagedImage,
  type StagedLayer,
} from "../staged-image.js";
import { findEntries } from "./find-entries.js";
import { type CacheOptions, openCache } from "./open-cache.js";

/** What a cache holds. Times as in ISO 8601, sizes in bytes of file content. Keys are only added. */
export interface CacheListing {
  readonly schemaVersion: 1;
  readonly cache: string;
  /** Whether there is such a cache. */
  readonly exists: boolean;
  /** The one that was used last comes first. */
  readonly entries: readonly ListedEntry[];
  readonly layers: readonly ListedLayer[];
}

export interface ListedEntry {
  readonly key: string;
  /** Absolute path of its root filesystem. */
  readonly rootfs: string;
  readonly imageId: string;
  readonly platform: string;
  /** Null for one that an earlier version staged. */
  readonly source: ImageSource | null;
  /** Of all its layers. */
  readonly size: number;
  /** Of the layers that other entries have too. */
  readonly shared: number;
  /** Of the layers that no other entry has. */
  readonly own: number;
  /** Names of its layers, the base first. */
  readonly layers: readonly string[];
  readonly stagedAt: string;
  readonly lastUse: string;
  readonly leases: readonly ListedLease[];
}

export interface ListedLease {
  /** As results show it. */
  readonly lease: string;
  readonly kind: "job" | "process" | "until";
  /** `unknown` where only Slurm, or another host, can tell. */
  readonly state: Liveness;
  /** Whether it keeps the entry: it is not over, and is believed. */
  readonly protects: boolean;
  readonly takenAt: string;
  /** The user whose it is. */
  readonly owner: number;
}

export interface ListedLayer {
  readonly name: string;
  readonly path: string;
  /** Null where its record does not say. */
  readonly size: number | null;
  /** Files, directories and links, about. Null where its record does not say. */
  readonly inodes: number | null;
  /** Keys of the entries that have it. */
  readonly usedBy: readonly string[];
  readonly publishedAt: string;
  readonly lastUse: string;
}

export interface ListOptions extends CacheOptions {
  /** Keys, paths or references; default: all entries. Layers are listed only without them. */
  readonly images?: readonly string[] | undefined;
}

/**
 * Lists what a cache holds, from its records: no tree is walked, no lock taken and nobody waited for.
 * @throws StageError CACHE_UNTRUSTED, PERMISSION, NOT_FOUND, REFERENCE_AMBIGUOUS
 */
export function listCache(options: ListOptions = {}): CacheListing {
  const cache = openCache(options);
  const { directory, layout, exists } = cache;
  try {
    const entries = exists ? [...entriesOf(layout, { isDetails: isStagedImage })] : [];
    entries.sort((a, b) => b.lastUse - a.lastUse);
    const { images = [] } = options;
    const found = images.flatMap((word) => findEntries(word, { cache, entries }));
    const users = usersOfLayers(entries);
    return {
      schemaVersion: 1,
      cache: directory,
      exists,
      entries: (images.length > 0 ? [...new Set(found)] : entries).map((e) => listed(e, users)),
      layers: exists && images.length === 0 ? listLayers(cache.layout, users) : [],
    };
  } catch (error) {
    throw fromSystemError(error, `read the cache ${directory}`);
  }
}

/** By the layer's name: its users' keys, and what they know of it. */
type LayerUsers = ReadonlyMap<
  string,
  { readonly keys: readonly string[]; readonly layer: StagedLayer }
>;

function usersOfLayers(entries: readonly CachedEntry<StagedImage>[]): LayerUsers {
  const users = new Map<string, { keys: string[]; layer: StagedLayer }>();
  for (const { key, details } of entries) {
    for (const [name, layer] of layersByName(key, details)) {
      const known = users.get(name);
      if (known) known.keys.push(key);
      else users.set(name, { keys: [key], layer });
    }
  }
  return users;
}

/** A layer that occurs twice counts once. */
function layersByName(key: string, details: StagedImage): ReadonlyMap<string, StagedLayer> {
  const names = layerNamesOf(key, details);
  return new Map(details.layers.map((layer, i) => [names[i] ?? "", layer]));
}

function listed(entry: CachedEntry<StagedImage>, users: LayerUsers): ListedEntry {
  const { key, details, path, stagedAt, lastUse, leases } = entry;
  const layers = layersByName(key, details);
  let [own, shared] = [0, 0];
  for (const [name, { unpackedSize: size }] of layers) {
    if ((users.get(name)?.keys.length ?? 0) > 1) shared += size;
    else own += size;
  }
  return {
    key,
    rootfs: `${path}/rootfs`,
    imageId: details.imageId,
    platform: details.platform,
    source: details.source ?? null,
    size: own + shared,
    shared,
    own,
    layers: [...layers.keys()],
    stagedAt: isoTime(stagedAt),
    lastUse: isoTime(lastUse),
    leases: leases.map(listedLease),
  };
}

function listedLease(found: FoundLease): ListedLease {
  const { lease, takenAt, owner } = found;
  const at = { now: Date.now() };
  return {
    lease: describeLease(lease),
    kind: lease.kind,
    state: isAlive(lease, at),
    protects: isProtecting(found, at),
    takenAt: isoTime(takenAt),
    owner,
  };
}

function listLayers(
  layout: Parameters<typeof layersOf>[0],
  users: LayerUsers,
): readonly ListedLayer[] {
  return [...layersOf(layout)].map((layer) => {
    const known = users.get(layer.name);
    return {
      name: layer.name,
      path: layer.path,
      // Entries know it too: a layer's own record can be long, and is read only where it must be.
      size: known?.layer.unpackedSize ?? layer.bytes ?? null,
      inodes: known?.layer.entries ?? layer.inodes ?? null,
      usedBy: known?.keys ?? [],
      publishedAt: isoTime(layer.publishedAt),
      lastUse: isoTime(layer.lastUse),
    };
  });
}

function isoTime(time: number): string {
  return new Date(time).toISOString();
}
