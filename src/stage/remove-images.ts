import { type CachedEntry, entriesOf, layersOf } from "../cache/inventory.js";
import { livingLeases } from "../cache/lease-life.js";
import { describeLease } from "../cache/lease-name.js";
import { NeededLayers } from "../cache/needed-layers.js";
import { removeEntry } from "../cache/remove-entry.js";
import { removeLayer } from "../cache/remove-layer.js";
import type { RemovalWait } from "../cache/with-lock.js";
import { StageError } from "../errors.js";
import { printable } from "../host/byte-string.js";
import { findEntries } from "./find-entries.js";
import { layerNamesOf } from "./layer-names.js";
import { type CacheOptions, type OpenCache, openCache } from "./open-cache.js";
import { isStagedImage, type StagedImage } from "./staged-image.js";
import { type WaitingEvent, waitingEvent } from "./waiting-event.js";

export interface RemoveOptions extends CacheOptions, Omit<RemovalWait, "onWait"> {
  /** Keys, paths or references; default: all, with all layers. */
  readonly images?: readonly string[] | undefined;
  /** Whether to remove entries under living leases too. Default: false. */
  readonly force?: boolean | undefined;
  /** Is told of waits for those that make or change an entry. */
  readonly onEvent?: ((event: WaitingEvent) => void) | undefined;
}

/** What was removed, and what was not. Keys are only ever added. */
export interface RemovalReport {
  readonly schemaVersion: 1;
  /** Keys of the entries that are gone. */
  readonly removed: readonly string[];
  /** Names of the layers that are gone, since no other entry had them. */
  readonly removedLayers: readonly string[];
  readonly kept: readonly KeptEntry[];
}

export interface KeptEntry {
  readonly key: string;
  /** `leased`: under `leases`; `busy`: somebody makes or changes it. */
  readonly reason: "leased" | "busy";
  readonly leases: readonly string[];
}

/**
 * Removes entries that nobody has a lease on, and the layers that then no other has. An entry that
 * can't be removed does not keep the others from it.
 * @throws StageError CACHE_UNTRUSTED, PERMISSION, NOT_WRITABLE, NOT_FOUND, REFERENCE_AMBIGUOUS; what
 * `signal` was aborted with
 */
export async function removeImages(options: RemoveOptions): Promise<RemovalReport> {
  const cache = openCache(options);
  const { images, onEvent } = options;
  const entries = cache.exists ? [...entriesOf(cache.layout, { isDetails: isStagedImage })] : [];
  const chosen = images
    ? new Set(images.flatMap((word) => findEntries(word, { cache, entries })))
    : new Set(entries);
  const removed: CachedEntry<StagedImage>[] = [];
  const kept: KeptEntry[] = [];
  for (const entry of chosen) {
    const { key } = entry;
    const outcome = await removeEntry(cache.layout, key, {
      ...options,
      now: Date.now(),
      onWait: (owner, waitedMs) => {
        onEvent?.(waitingEvent(cache.layout, { what: "the image", owner, waitedMs }));
      },
    });
    if (outcome === "leased") kept.push({ key, reason: outcome, leases: leasesOf(cache, key) });
    else if (outcome === "busy") kept.push({ key, reason: outcome, leases: [] });
    else removed.push(entry);
  }
  const names =
    images || !cache.exists ? undefined : [...layersOf(cache.layout)].map((l) => l.name);
  const candidates = names ?? removed.flatMap(({ key, details }) => layerNamesOf(key, details));
  const removedLayers = await removeLayers(cache, { ...options, names: new Set(candidates) });
  return { schemaVersion: 1, removed: removed.map(({ key }) => key), removedLayers, kept };
}

function leasesOf({ layout }: OpenCache, key: string): readonly string[] {
  return livingLeases(layout, key, { now: Date.now() }).map(({ lease }) => describeLease(lease));
}

async function removeLayers(
  { layout }: OpenCache,
  { names, signal }: Pick<RemoveOptions, "signal"> & { names: ReadonlySet<string> },
): Promise<readonly string[]> {
  const needed = new NeededLayers(layout, { isDetails: isStagedImage, namesOf: layerNamesOf });
  const removed: string[] = [];
  for (const name of names) {
    const isNeeded = () => needed.isNeeded(name);
    // Without the lock and the trouble where it is clear beforehand.
    if (isNeeded()) continue;
    // What was asked for goes at once; what a staging uses that is under way stays all the same.
    const options = { now: Date.now(), isNeeded, grace: 0, signal };
    if ((await removeLayer(layout, name, options)) === "removed") removed.push(name);
  }
  return removed;
}

/** The error for what a removal had to keep; undefined where it kept nothing. */
export function keptError({ kept }: RemovalReport): StageError | undefined {
  const [first, ...others] = kept;
  if (!first) return undefined;
  const more = others.length === 0 ? "" : `, and ${others.length} more`;
  if (first.reason === "busy") {
    return new StageError("BUSY", `${first.key} is being staged${more}`, {
      hint: "try again later, or wait for it with --wait SECONDS",
    });
  }
  const leases = printable(first.leases.join(", "));
  return new StageError("BUSY", `${first.key} is in use (${leases})${more}`, {
    hint: "stage-rootfs ls --leases shows by whom; --force removes it all the same",
  });
}
