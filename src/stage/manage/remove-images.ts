import { livingLeases } from "../../cache/leases/lease-life.js";
import { describeLease } from "../../cache/leases/lease-name.js";
import type { RemovalWait } from "../../cache/locks/with-lock.js";
import { type CachedEntry, entriesOf, layersOf } from "../../cache/removal/inventory.js";
import { NeededLayers } from "../../cache/removal/needed-layers.js";
import { removeEntry } from "../../cache/removal/remove-entry.js";
import { removeLayer } from "../../cache/removal/remove-layer.js";
import { type ErrorReport, fromSystemError, StageError } from "../../errors.js";
import { printable } from "../../host/byte-string.js";
import { lstatIfAny } from "../../host/lstat-if-any.js";
import { layerNamesOf } from "../sources/layer-names.js";
import { isStagedImage, type StagedImage } from "../staged-image.js";
import { type WaitingEvent, waitingEvent } from "../waiting-event.js";
import { findEntries } from "./find-entries.js";
import { type CacheOptions, type OpenCache, openCache } from "./open-cache.js";

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
  /** Why words named nothing, and why entries or layers could not be removed, or not wholly. */
  readonly failures: readonly RemovalFailure[];
}

export interface RemovalFailure {
  /** The word as it was given, the entry's key or the layer's name. */
  readonly name: string;
  readonly error: ErrorReport;
}

export interface KeptEntry {
  readonly key: string;
  /** `leased`: under `leases`; `busy`: somebody makes or changes it. */
  readonly reason: "leased" | "busy";
  readonly leases: readonly string[];
}

/**
 * Removes entries that nobody has a lease on, and the layers that then no other has. An entry that
 * can't be removed, or a word that names none, does not keep the others from it.
 * @throws StageError CACHE_UNTRUSTED, PERMISSION; what `signal` was aborted with
 */
export async function removeImages(options: RemoveOptions): Promise<RemovalReport> {
  const cache = openCache(options);
  const { images, onEvent } = options;
  const entries = cache.exists ? [...entriesOf(cache.layout, { isDetails: isStagedImage })] : [];
  const failures: RemovalFailure[] = [];
  const trying: Trying = async (name, work) => {
    try {
      return await work();
    } catch (error) {
      options.signal?.throwIfAborted();
      const failure = fromSystemError(error, `remove ${name}`);
      if (!(failure instanceof StageError)) throw error;
      failures.push({ name, error: failure.toReport() });
      return undefined;
    }
  };
  const chosen = new Set(images ? [] : entries);
  for (const word of images ?? []) {
    const found = await trying(word, () => findEntries(word, { cache, entries }));
    for (const entry of found ?? []) chosen.add(entry);
  }
  const removed: CachedEntry<StagedImage>[] = [];
  const kept: KeptEntry[] = [];
  for (const entry of chosen) {
    const { key } = entry;
    const outcome = await trying(key, async () => {
      return await removeEntry(cache.layout, key, {
        ...options,
        now: Date.now(),
        onWait: (owner, waitedMs) => {
          onEvent?.(waitingEvent(cache.layout, { what: "the image", owner, waitedMs }));
        },
      });
    });
    if (outcome === "leased") kept.push({ key, reason: outcome, leases: leasesOf(cache, key) });
    else if (outcome === "busy") kept.push({ key, reason: outcome, leases: [] });
    // Of what was moved aside, a part may be left that is in nobody's way.
    else if (outcome !== undefined || !lstatIfAny(cache.layout.entry(key))) removed.push(entry);
  }
  const names =
    images || !cache.exists ? undefined : [...layersOf(cache.layout)].map((l) => l.name);
  const candidates = names ?? removed.flatMap(({ key, details }) => layerNamesOf(key, details));
  const removedLayers = await removeLayers(cache, {
    ...options,
    names: new Set(candidates),
    trying,
  });
  const keys = removed.map(({ key }) => key);
  return { schemaVersion: 1, removed: keys, removedLayers, kept, failures };
}

/** Does a part of the work, and notes why where it fails; the result is undefined then. */
type Trying = <Value>(
  name: string,
  work: () => Value | Promise<Value>,
) => Promise<Value | undefined>;

function leasesOf({ layout }: OpenCache, key: string): readonly string[] {
  return livingLeases(layout, key, { now: Date.now() }).map(({ lease }) => describeLease(lease));
}

async function removeLayers(
  { layout }: OpenCache,
  options: Pick<RemoveOptions, "signal"> & { names: ReadonlySet<string>; trying: Trying },
): Promise<readonly string[]> {
  const { names, signal, trying } = options;
  const needed = new NeededLayers(layout, { isDetails: isStagedImage, namesOf: layerNamesOf });
  const removed: string[] = [];
  for (const name of names) {
    const isNeeded = () => needed.isNeeded(name);
    // Without the lock and the trouble where it is clear beforehand.
    if (isNeeded()) continue;
    // What was asked for goes at once; what a staging uses that is under way stays all the same.
    const removal = { now: Date.now(), isNeeded, grace: 0, signal };
    const outcome = await trying(name, async () => await removeLayer(layout, name, removal));
    if (outcome === "removed") removed.push(name);
  }
  return removed;
}

/** The error for what a removal could not do, and else for what it had to keep, if anything. */
export function removalError(report: RemovalReport): StageError | undefined {
  const [first, ...others] = report.failures;
  if (!first) return keptError(report);
  if (others.length === 0) return StageError.fromReport(first.error);
  const message = `${first.error.message}, and ${others.length} more`;
  return StageError.fromReport({ ...first.error, message });
}

function keptError({ kept }: RemovalReport): StageError | undefined {
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
