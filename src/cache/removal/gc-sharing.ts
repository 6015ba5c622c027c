import { noRoom, type Room, sumOf, without } from "../../host/disk-room.js";
import type { GcEntry, GcInputs, GcLayer } from "./gc-plan.js";

/**
 * Which entries need which layers, while entries go one by one. A layer goes when none needs it,
 * unless somebody uses it just now. Its files are freed only then, for the entries' are links to them.
 */
export class Sharing {
  readonly #layers: ReadonlyMap<string, GcLayer>;
  readonly #needed = new Map<string, Set<GcEntry>>();
  readonly #unneeded: string[] = [];
  #changed = new Set<GcEntry>();
  #freed = noRoom;
  #left: Room;

  constructor({ entries, layers, rest }: Pick<GcInputs, "entries" | "layers" | "rest">) {
    this.#layers = new Map(layers.map((layer) => [layer.name, layer]));
    for (const { name } of layers) this.#needed.set(name, new Set());
    for (const entry of entries) {
      for (const name of entry.layers) this.#needed.get(name)?.add(entry);
    }
    const sizes = [...entries.map(({ own }) => own), ...layers.map(({ size }) => size)];
    this.#left = sumOf([...sizes, rest]);
    for (const { name, isFresh } of layers) if (!isFresh) this.#dropUnneeded(name);
  }

  /** Names of the layers that go. */
  get unneeded(): readonly string[] {
    return this.#unneeded;
  }

  get freed(): Room {
    return this.#freed;
  }

  get left(): Room {
    return this.#left;
  }

  /** What an entry takes, in bytes, if those that share a layer share its size evenly. */
  shareOf({ own, layers }: GcEntry): number {
    return [...new Set(layers)].reduce((sum, name) => {
      const sharers = this.#needed.get(name)?.size ?? 0;
      const bytes = this.#layers.get(name)?.size.bytes ?? 0;
      return sharers === 0 ? sum : sum + bytes / sharers;
    }, own.bytes);
  }

  /** @returns what goes with the entry */
  remove(entry: GcEntry): Room {
    const before = this.#freed;
    this.#drop(entry.own);
    for (const name of new Set(entry.layers)) {
      const sharers = this.#needed.get(name);
      sharers?.delete(entry);
      if (sharers && isNoticed(sharers.size)) for (const other of sharers) this.#changed.add(other);
      this.#dropUnneeded(name);
    }
    return without(this.#freed, before);
  }

  /** The entries that share layers with one that has gone since the last call. */
  takeChanged(): Iterable<GcEntry> {
    const changed = this.#changed;
    this.#changed = new Set();
    return changed;
  }

  #dropUnneeded(name: string): void {
    const layer = this.#layers.get(name);
    if (!layer || layer.isInUse || this.#needed.get(name)?.size !== 0) return;
    this.#needed.delete(name);
    this.#unneeded.push(name);
    this.#drop(layer.size);
  }

  #drop(amount: Room): void {
    this.#freed = sumOf([this.#freed, amount]);
    this.#left = without(this.#left, amount);
  }
}

/**
 * Whether it matters to those who share a layer that they are so many now: among many, one more or
 * less changes next to nothing, and telling all of them each time would take long.
 */
function isNoticed(sharers: number): boolean {
  return sharers < 16 || Number.isInteger(Math.log2(sharers));
}
