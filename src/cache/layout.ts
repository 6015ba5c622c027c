import { join } from "node:path";

/** Where things lie in a cache: `<cache>/v1/…`. A change of the layout changes the version. */
export class CacheLayout {
  readonly #root: string;

  constructor(cacheDirectory: string) {
    this.#root = join(cacheDirectory, "v1");
  }

  /** The directory that holds all of it. */
  get root(): string {
    return this.#root;
  }

  /** An unpacked layer: `tree/` and `layer.json`. */
  layer(name: string): string {
    return join(this.layers, name);
  }

  /** An image's entry: `rootfs/` and `entry.json`. */
  entry(key: string): string {
    return join(this.entries, key);
  }

  /** What keeps an image's entry from being removed. */
  leases(key: string): string {
    return join(this.allLeases, key);
  }

  get index(): string {
    return join(this.#root, "index");
  }

  /** What is known of a file that images were read from. */
  indexRecord(name: string): string {
    return join(this.#root, "index", `${name}.json`);
  }

  /** A blob that is being fetched, or whose fetching broke off. */
  blob(name: string): string {
    return join(this.blobs, name);
  }

  get blobs(): string {
    return join(this.#root, "blobs");
  }

  lock(name: string): string {
    return join(this.locks, name);
  }

  get locks(): string {
    return join(this.#root, "locks");
  }

  /** The directory of all leases: one directory for each entry. */
  get allLeases(): string {
    return join(this.#root, "leases");
  }

  /** The directory of all entries. */
  get entries(): string {
    return join(this.#root, "rootfs");
  }

  /** The directory of all layers. */
  get layers(): string {
    return join(this.#root, "layers");
  }

  /** Which nodes use it, for finding out whether several do. */
  get nodes(): string {
    return join(this.#root, "nodes");
  }

  /** What is under way; what a dead process left there is anybody's to remove. */
  get tmp(): string {
    return join(this.#root, "tmp");
  }
}
