import { lstatSync, readdirSync, type Stats } from "node:fs";
import { setImmediate as turn } from "node:timers/promises";
import { errnoOf, fromSystemError } from "../../errors.js";
import { type ByteString, pathBelow } from "../../host/byte-string.js";
import type { CacheLayout } from "../layout.js";
import { namesIn } from "./abandoned.js";

/** What something takes on disk. */
export interface Usage {
  /** Of whole blocks, as du(1) counts. */
  readonly bytes: number;
  readonly inodes: number;
}

export interface EntryUsage {
  readonly key: string;
  /** What no other entry has. Layers may have it too. */
  readonly own: Usage;
  /** What other entries have too. */
  readonly shared: Usage;
}

export interface DiskUsage {
  readonly entries: readonly EntryUsage[];
  /** What only layers have that entries were made of. */
  readonly layers: Usage;
  /** What only layers have that no entry was made of. */
  readonly unneededLayers: Usage;
  readonly tmp: Usage;
  readonly blobs: Usage;
  /** Records, locks and leases. */
  readonly rest: Usage;
  readonly total: Usage;
  /** Directories that could not be looked into. */
  readonly unreadable: number;
}

export interface DiskUsageOptions {
  readonly layout: CacheLayout;
  /** Names of the layers that entries were made of. */
  readonly neededLayers: ReadonlySet<string>;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Counts what a cache takes on disk by walking it. Files that several trees have are counted once in
 * the total. It takes no locks: what comes and goes meanwhile is counted or not.
 * @param directory the cache
 * @throws StageError for errors of the file system; what `signal` was aborted with
 */
export async function measureDiskUsage(
  directory: string,
  { layout, neededLayers, signal }: DiskUsageOptions,
): Promise<DiskUsage> {
  const walk = new UsageWalk(signal);
  const entries = new Map<string, Place>();
  for (const key of namesIn(layout.entries)) {
    const place = new Place({ countsShared: true });
    entries.set(key, place);
    await walk.countTree(layout.entry(key), place);
  }
  // After the entries, so that what they share with layers is counted there.
  const [layers, unneeded, tmp, blobs, rest] = newPlaces();
  for (const name of namesIn(layout.layers)) {
    await walk.countTree(layout.layer(name), neededLayers.has(name) ? layers : unneeded);
  }
  await walk.countTree(layout.tmp, tmp);
  await walk.countTree(layout.blobs, blobs);
  // Last, for what was counted is not counted again.
  await walk.countTree(directory, rest);
  return {
    entries: [...entries].map(([key, { own, shared }]) => ({ key, own, shared })),
    layers: layers.own,
    unneededLayers: unneeded.own,
    tmp: tmp.own,
    blobs: blobs.own,
    rest: rest.own,
    total: walk.total,
    unreadable: walk.unreadable,
  };
}

/** What is counted together: an entry, or all layers for instance. */
class Place {
  /** Whether what other places have too is shown; for layers, it is shown with the entries. */
  readonly countsShared: boolean;
  own: Usage = { bytes: 0, inodes: 0 };
  shared: Usage = { bytes: 0, inodes: 0 };

  constructor({ countsShared = false } = {}) {
    this.countsShared = countsShared;
  }
}

function newPlaces(): readonly [Place, Place, Place, Place, Place] {
  return [new Place(), new Place(), new Place(), new Place(), new Place()];
}

/** An inode that has several names, and where they were met. */
interface Met {
  readonly first: Place;
  last: Place;
}

/** After how many files this thread does something else for a moment. */
const stint = 2000;

class UsageWalk {
  total: Usage = { bytes: 0, inodes: 0 };
  unreadable = 0;
  readonly #signal: AbortSignal | undefined;
  readonly #met = new Map<number, Met>();
  readonly #directories = new Set<number>();
  #count = 0;

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
  }

  /** Counts a tree, but for the directories that were counted before, with all below them. */
  async countTree(root: string, to: Place): Promise<void> {
    const waiting: ByteString[] = [""];
    for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
      const stat = this.#look(root, path);
      if (!stat) continue;
      if (stat.isDirectory()) {
        if (this.#directories.has(stat.ino)) continue;
        this.#directories.add(stat.ino);
        const below = path === "" ? "" : `${path}/`;
        for (const name of this.#list(root, path)) waiting.push(`${below}${name}`);
      }
      this.#add(stat, to);
      if (++this.#count % stint === 0) await turn();
      this.#signal?.throwIfAborted();
    }
  }

  #add(stat: Stats, to: Place): void {
    const usage = { bytes: stat.blocks * blockSize, inodes: 1 };
    const met = stat.isDirectory() || stat.nlink === 1 ? undefined : this.#met.get(stat.ino);
    if (!met) {
      if (!stat.isDirectory() && stat.nlink > 1) this.#met.set(stat.ino, { first: to, last: to });
      to.own = sum(to.own, usage);
      this.total = sum(this.total, usage);
      return;
    }
    const { first, last } = met;
    // Met in this place before, or counted where it matters more.
    if (last === to || !to.countsShared) return;
    if (last === first) {
      first.own = sum(first.own, usage, -1);
      first.shared = sum(first.shared, usage);
    }
    to.shared = sum(to.shared, usage);
    met.last = to;
  }

  #look(root: string, path: ByteString): Stats | undefined {
    try {
      return lstatSync(pathBelow(root, path));
    } catch (error) {
      return this.#gone(error, root);
    }
  }

  #list(root: string, path: ByteString): readonly ByteString[] {
    try {
      return readdirSync(pathBelow(root, path), { encoding: "latin1" });
    } catch (error) {
      return this.#gone(error, root) ?? [];
    }
  }

  #gone(error: unknown, root: string): undefined {
    const errno = errnoOf(error);
    if (errno === "EACCES") this.unreadable++;
    else if (errno !== "ENOENT" && errno !== "ENOTDIR")
      throw fromSystemError(error, `read ${root}`);
    return undefined;
  }
}

/** What stat(2) counts in, in bytes. */
const blockSize = 512;

function sum(a: Usage, b: Usage, sign: 1 | -1 = 1): Usage {
  return { bytes: a.bytes + sign * b.bytes, inodes: a.inodes + sign * b.inodes };
}
