import type { Stats } from "node:fs";
import { isUnreadable } from "../../host/is-unreadable.js";
import { lstatIfAny } from "../../host/lstat-if-any.js";
import { isRecord, readJsonIfAny } from "../../host/read-json.js";
import { type DetailsGuard, type Entry, entryFile, parseEntry } from "../entry.js";
import { layerFile } from "../layer-store.js";
import type { CacheLayout } from "../layout.js";
import { type FoundLease, leasesOn } from "../leases/leases.js";
import { leavingFile } from "../leases/leaving.js";
import { namesIn } from "./abandoned.js";

/** An entry of the cache, with what is known of its use. Times in milliseconds since 1970. */
export interface CachedEntry<Details> {
  readonly key: string;
  readonly details: Details;
  /** The directory that holds its rootfs. */
  readonly path: string;
  readonly stagedAt: number;
  readonly lastUse: number;
  /** The living and the dead. */
  readonly leases: readonly FoundLease[];
}

/**
 * All entries that stand, also those that a killed process had begun to remove. It takes no locks:
 * what goes while it looks is left out.
 * @throws errors of the file system other than that something is gone
 */
export function* entriesOf<Details>(
  layout: CacheLayout,
  { isDetails }: { readonly isDetails: DetailsGuard<Details> },
): Generator<CachedEntry<Details>> {
  for (const key of namesIn(layout.entries)) {
    const entry = entryAt(layout, { key, isDetails });
    if (entry) yield entry;
  }
}

/** The entry under a key, also one that a killed process had begun to remove. */
export function entryAt<Details>(
  layout: CacheLayout,
  options: { readonly key: string; readonly isDetails: DetailsGuard<Details> },
): CachedEntry<Details> | undefined {
  const { key } = options;
  const found = readEvenLeaving(layout, options);
  if (!found) return undefined;
  const { entry, writtenAt } = found;
  const leases = leasesOn(layout, key);
  const { details, stagedAt = writtenAt } = entry;
  const lastUse = Math.max(stagedAt, lastLeased(layout, key), ...leases.map((l) => l.takenAt));
  return { key, details, path: layout.entry(key), stagedAt, lastUse, leases };
}

/** When a lease was taken or given up last. */
function lastLeased(layout: CacheLayout, key: string): number {
  const stat = lstatIfAny(layout.leases(key));
  return stat ? Math.min(stat.mtimeMs, stat.ctimeMs) : 0;
}

function readEvenLeaving<Details>(
  layout: CacheLayout,
  options: { key: string; isDetails: DetailsGuard<Details> },
): { entry: Entry<Details>; writtenAt: number } | undefined {
  for (const path of whereMarkMayBe(entryFile(layout.entry(options.key)))) {
    const entry = parseEntry(readJsonIfAny(path), options);
    const stat = entry && lstatMark(path);
    if (entry && stat) return { entry, writtenAt: stat.mtimeMs };
  }
  return undefined;
}

/** An unpacked layer. Times in milliseconds since 1970. */
export interface CachedLayer {
  readonly name: string;
  readonly path: string;
  readonly publishedAt: number;
  /** When it was published or put into a rootfs last. */
  readonly lastUse: number;
  /** Bytes of file content. Undefined where the record does not say. Reading the record takes a while. */
  readonly bytes: number | undefined;
  /** Files, directories and links, about. As {@link bytes}. */
  readonly inodes: number | undefined;
}

/** All layers that stand, also those that a killed process had begun to remove. It takes no locks. */
export function* layersOf(layout: CacheLayout): Generator<CachedLayer> {
  for (const name of namesIn(layout.layers)) {
    const layer = findLayer(layout, name);
    if (layer) yield layer;
  }
}

function findLayer(layout: CacheLayout, name: string): CachedLayer | undefined {
  for (const file of whereMarkMayBe(layerFile(layout, name))) {
    const stat = lstatMark(file);
    if (!stat) continue;
    let size: LayerSize | undefined;
    const sizeOnRecord = () => {
      size ??= readSize(file);
      return size;
    };
    return {
      name,
      path: layout.layer(name),
      publishedAt: Math.min(stat.birthtimeMs || stat.mtimeMs, stat.mtimeMs),
      lastUse: stat.mtimeMs,
      get bytes() {
        return sizeOnRecord().bytes;
      },
      get inodes() {
        return sizeOnRecord().inodes;
      },
    };
  }
  return undefined;
}

type LayerSize = Pick<CachedLayer, "bytes" | "inodes">;

function readSize(file: string): LayerSize {
  const record = readJsonIfAny(file);
  if (!isRecord(record)) return { bytes: undefined, inodes: undefined };
  const { unpackedSize, entries } = record;
  return {
    bytes: typeof unpackedSize === "number" ? unpackedSize : undefined,
    inodes: typeof entries === "number" ? entries : undefined,
  };
}

/** As {@link lstatIfAny}; what is in a directory that can't be entered is as good as missing. */
function lstatMark(path: string): Stats | undefined {
  try {
    return lstatIfAny(path);
  } catch (error) {
    if (isUnreadable(error)) return undefined;
    throw error;
  }
}

/** A mark that is hidden and shown again during a look is found at the second look at its place. */
function whereMarkMayBe(mark: string): readonly string[] {
  return [mark, leavingFile(mark), mark];
}
