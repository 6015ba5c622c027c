import type { DetailsGuard } from "../entry.js";
import type { CacheLayout } from "../layout.js";
import { namesIn } from "./abandoned.js";
import { entryAt } from "./inventory.js";

export interface NeededLayersOptions<Details> {
  readonly isDetails: DetailsGuard<Details>;
  /** The names in the cache of the layers that an entry was made of. */
  readonly namesOf: (key: string, details: Details) => readonly string[];
}

/** Which layers entries were made of. What an entry was made of never changes, so each is read once. */
export class NeededLayers<Details> {
  readonly #layout: CacheLayout;
  readonly #options: NeededLayersOptions<Details>;
  #ofEntries: ReadonlyMap<string, readonly string[]> = new Map();

  constructor(layout: CacheLayout, options: NeededLayersOptions<Details>) {
    this.#layout = layout;
    this.#options = options;
  }

  /** Whether an entry that stands at this moment was made of the layer. */
  isNeeded(name: string): boolean {
    this.#update();
    return [...this.#ofEntries.values()].some((names) => names.includes(name));
  }

  #update(): void {
    const { isDetails, namesOf } = this.#options;
    const ofEntries = new Map<string, readonly string[]>();
    for (const key of namesIn(this.#layout.entries)) {
      const known = this.#ofEntries.get(key);
      const entry = known ? undefined : entryAt(this.#layout, { key, isDetails });
      const names = known ?? (entry && namesOf(key, entry.details));
      if (names) ofEntries.set(key, names);
    }
    this.#ofEntries = ofEntries;
  }
}
