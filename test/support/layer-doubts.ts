import type { ByteString } from "../../src/host/byte-string.js";
import { isWithin } from "./layer-names.js";
import type { LayerEntry } from "./layers.js";

/**
 * Neither the spec nor we say what the stack means. All of it is about layers that have two names
 * for one place, which no archiver writes.
 */
export class Ambiguous extends Error {}

/** A place in the tree, and what a layer calls it: another path where that leads through links. */
export interface Place {
  readonly path: ByteString;
  readonly name: ByteString;
}

/** The same, where what is met within a link has no name. */
interface Visit {
  readonly path: ByteString;
  readonly name: ByteString | undefined;
}

/** What a comparison with umoci has to know of a stack. */
export class Remarks {
  /** Where we do what umoci does not. */
  readonly liberties: Set<string> = new Set();
  /** Directories that were made, at some time, because something lies below. */
  readonly madeOnTheWay: Set<ByteString> = new Set();
}

/** What was met on the way to a parent. */
interface MetLinks {
  /** How many links of lower layers. */
  lowerLinks: number;
  /** How many links of the layer's own with `..` in them. */
  ownUps: number;
}

/** Looks on while a path is followed. */
export interface Watch {
  /** The link at `path` is followed, which `entry` made. */
  link(path: ByteString, entry: LayerEntry): void;
  /** A directory that a link names is passed. */
  directory(path: ByteString): void;
  /** A `..` in the link at `within` leads up from the directory `from`. */
  up(from: ByteString, within: ByteString): void;
}

/**
 * Looks on while one layer is applied, and stops it where its meaning is in doubt.
 *
 * A layer is unpacked by itself, so that it can be shared between images. There it knows its own
 * links, while what it says of lower ones is resolved when they are at hand. That comes to the same
 * as applying its entries one by one, unless one name of a place takes away what another led to.
 */
export class Doubts {
  readonly #entries: ReadonlySet<LayerEntry>;
  readonly #remarks: Remarks;
  /** Where the layer has been, and under which names. */
  readonly #names = new Map<ByteString, Set<ByteString | undefined>>();
  /** Where it has put something, and under which name. */
  readonly #placed = new Map<ByteString, ByteString>();

  constructor(entries: readonly LayerEntry[], remarks: Remarks) {
    this.#entries = new Set(entries);
    this.#remarks = remarks;
  }

  /** Looks on while a parent that the layer calls `name` is entered. */
  way(name: ByteString, met: MetLinks): Watch {
    return {
      link: (path, entry) => {
        this.#meet({ path, name });
        this.#visit({ path, name: undefined });
        if (!this.#placed.has(path)) met.lowerLinks++;
        else if (!this.#entries.has(entry)) throw new Ambiguous("a way through a hard link");
        else if (entry.linkName?.includes("..")) met.ownUps++;
      },
      directory: (path) => this.#visit({ path, name: undefined }),
      up: (from, within) => {
        if (this.#remarks.madeOnTheWay.has(from)) this.#depart("up from what was not there");
        if (met.lowerLinks > 0 && this.#placed.has(within)) {
          throw new Ambiguous("up from where a lower layer's link has led");
        }
      },
    };
  }

  /** There is no end to the links on the way to a parent. */
  loop({ lowerLinks, ownUps }: MetLinks): void {
    if (lowerLinks > 0 && ownUps > 0) throw new Ambiguous("up from a loop of links");
  }

  /** The layer has come to a parent. */
  arrive(place: Place): void {
    this.#meet(place);
    this.#visit(place);
  }

  /** A parent is made at `path`. */
  make(path: ByteString, { isThere }: { isThere: boolean }): void {
    if (isThere) this.#depart("a file that gives way to a parent");
    this.#remarks.madeOnTheWay.add(path);
  }

  /** An entry takes its place. */
  place(place: Place): void {
    this.#visit(place);
    this.#placed.set(place.path, place.name);
  }

  /** An entry describes a directory that is there, or links a file to itself. */
  describe({ path, name }: Place): void {
    const before = this.#placed.get(path);
    if (before !== undefined && before !== name) throw new Ambiguous("a place of two names");
  }

  /** What stands at `path` and below goes, for what the layer calls `name`. */
  remove({ path, name }: Visit): void {
    for (const [place, names] of this.#names) {
      if (!isWithin(place, path)) continue;
      const expected = name === undefined ? undefined : name + place.slice(path.length);
      const isExpected = (other: ByteString | undefined) =>
        other !== undefined && other === expected;
      if (![...names].every(isExpected)) throw new Ambiguous("reached by two names");
    }
  }

  /** A hard link's target leads through `links`. */
  target({ path, name }: Place, links: readonly ByteString[]): void {
    const placed = this.#placed.get(path);
    const isOwn = (link: ByteString) => this.#placed.has(link);
    const isLowers = placed === undefined && !links.some(isOwn);
    const isOfThisLayer = placed === name || (placed === path && links.every(isOwn));
    if (!isLowers && !isOfThisLayer) throw new Ambiguous("a hard link by another name");
  }

  /** A hard link at `from` is to what stands at `to`. */
  hardLink({ from, to }: { from: Place; to: ByteString }): void {
    if (to === from.path) {
      this.describe(from);
      this.#depart("a hard link to itself");
    } else if (isWithin(to, from.path)) {
      throw new Ambiguous("a hard link in place of its target's directory");
    }
    if (this.#names.get(to)?.has(undefined))
      throw new Ambiguous("a hard link to a link on the way");
  }

  /** Whether the layer has been at `path`, and calls it `name`. */
  knows({ path, name }: Place): boolean {
    const names = this.#names.get(path);
    if (names && !names.has(name)) throw new Ambiguous("a hard link to a directory of two names");
    return names !== undefined;
  }

  /** A hard link's target is not there when its entry comes. */
  lateTarget(): void {
    this.#depart("a hard link to what is not there");
  }

  /** A hard link that has waited is to what `links` lead to. */
  lateLinks(links: readonly ByteString[]): void {
    if (links.length > 0) throw new Ambiguous("a hard link that waits for what lies beyond links");
  }

  /** A hard link has waited for what `entry` made. */
  endWaiting(entry: LayerEntry | undefined): void {
    const isPlain = entry?.type === "0" || entry?.type === "2";
    if (!isPlain || !this.#entries.has(entry)) {
      throw new Ambiguous("a hard link that waits for another");
    }
  }

  /** A marker speaks of a directory that was at `before`, and is at `after` when its turn comes. */
  marker(found: {
    name: ByteString;
    before: ByteString | undefined;
    after: ByteString | undefined;
  }) {
    // A directory of the layer's own: there is nothing to hide.
    const isOwn = found.before === undefined && found.after === found.name;
    if (found.before !== found.after && !isOwn) this.#depart("a marker whose directory moves");
  }

  markerBeyondLoop(): void {
    this.#depart("a marker beyond a loop of links");
  }

  #meet({ path, name }: Place): void {
    const placed = this.#placed.get(path);
    if (placed === undefined || placed === path || placed === name) return;
    throw new Ambiguous("a way through a place of another name");
  }

  #visit({ path, name }: Visit): void {
    this.#names.set(path, new Set([...(this.#names.get(path) ?? []), name]));
  }

  #depart(why: string): void {
    this.#remarks.liberties.add(why);
  }
}
