import type { ByteString } from "../host/byte-string.js";
import { baseOf, join, parentOf } from "../host/rooted-tree.js";

/** Values by path, kept by directory, so that all of a directory can be dropped at once. */
export class PathMap<Value> {
  readonly #directories = new Map<ByteString, Map<ByteString, Value>>();

  get(path: ByteString): Value | undefined {
    return this.#directories.get(parentOf(path))?.get(baseOf(path));
  }

  set(path: ByteString, value: Value): void {
    const directory = parentOf(path);
    const names = this.#directories.get(directory);
    if (names) names.set(baseOf(path), value);
    else this.#directories.set(directory, new Map([[baseOf(path), value]]));
  }

  /** @returns whether there was a value */
  delete(path: ByteString): boolean {
    if (this.#directories.size === 0) return false;
    const directory = parentOf(path);
    const names = this.#directories.get(directory);
    if (!names?.delete(baseOf(path))) return false;
    if (names.size === 0) this.#directories.delete(directory);
    return true;
  }

  /** Drops what lies right below any of the directories. */
  deleteIn(directories: readonly ByteString[]): void {
    for (const directory of directories) this.#directories.delete(directory);
  }

  *entries(): Generator<[ByteString, Value]> {
    for (const [directory, names] of this.#directories) {
      for (const [name, value] of names) yield [join(directory, name), value];
    }
  }
}
