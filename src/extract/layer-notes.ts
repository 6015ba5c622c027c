import type { ByteString } from "../host/byte-string.js";
import type { LowerRecord } from "./layer-record.js";
import { PathMap } from "./path-map.js";

/** What a layer says of lower layers, as its entries are read. */
export class LayerNotes {
  readonly #implied = new Set<ByteString>([""]);
  readonly #whiteouts = new Set<ByteString>();
  readonly #opaque = new Set<ByteString>();
  readonly #links = new PathMap<ByteString>();
  readonly #skipped = new PathMap<true>();
  readonly #replaced = new Set<ByteString>();
  #bytes = 0;

  /** How much was noted, in bytes; what was forgotten again counts too. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Directories that no entry describes. */
  get implied(): ReadonlySet<ByteString> {
    return this.#implied;
  }

  /** Lower layers' `path` is hidden. */
  hide(path: ByteString): void {
    this.#whiteouts.add(this.#count(path));
  }

  /** What lower layers have in the directory `path` is hidden. */
  hideIn(path: ByteString): void {
    this.#opaque.add(this.#count(path));
  }

  /** The directory `path` was made because something lies below it. */
  imply(path: ByteString): void {
    this.#implied.add(this.#count(path));
  }

  /** An entry describes the directory `path`. */
  describe(path: ByteString): void {
    this.#implied.delete(path);
  }

  /** `path` is a hard link to a file of lower layers. */
  link(path: ByteString, target: ByteString): void {
    this.#links.set(this.#count(path), target);
  }

  /** The file of lower layers that `path` is a link to, if it is one. */
  linkTarget(path: ByteString): ByteString | undefined {
    return this.#links.get(path);
  }

  /** A device or fifo that would stand at `path` is not made. */
  skip(path: ByteString): void {
    this.#skipped.set(this.#count(path), true);
  }

  isSkipped(path: ByteString): boolean {
    return this.#skipped.get(path) ?? false;
  }

  /** Another entry takes the place of the link or device at `path`, if one was noted. */
  forget(path: ByteString): void {
    const wasLink = this.#links.delete(path);
    const wasSkipped = this.#skipped.delete(path);
    if (wasLink || wasSkipped) this.replace(path);
  }

  /**
   * Another entry takes the place of what the layer had at `path`. That had taken the place of what
   * lower layers have, so that a directory is not merged with theirs.
   */
  replace(path: ByteString): void {
    this.#replaced.add(this.#count(path));
  }

  /** Directories are gone, with all that they held. */
  forgetIn(directories: readonly ByteString[]): void {
    for (const directory of directories) this.#implied.delete(directory);
    this.#links.deleteIn(directories);
    this.#skipped.deleteIn(directories);
  }

  toRecord(): LowerRecord {
    const skipped = [...this.#skipped.entries()].map(([path]) => path);
    return {
      implied: [...this.#implied],
      replaced: [...this.#replaced],
      // A device is not made, but it does hide what lower layers have in its place.
      whiteouts: [...this.#whiteouts, ...skipped],
      opaque: [...this.#opaque],
      links: [...this.#links.entries()],
      skipped,
    };
  }

  #count(path: ByteString): ByteString {
    this.#bytes += path.length;
    return path;
  }
}
