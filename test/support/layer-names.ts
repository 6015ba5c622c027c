import type { ByteString } from "../../src/host/byte-string.js";
import type { LayerEntry } from "./layers.js";

/** What a whiteout or opaque marker hides. */
export interface Marker {
  readonly directory: ByteString;
  /** What it hides there; undefined for all. */
  readonly name: ByteString | undefined;
}

const prefix = ".wh.";

export function isMarker(entry: LayerEntry): boolean {
  return baseOf(nameOf(entry)).startsWith(prefix);
}

/** Decision: other names that begin with `.wh..wh.` are AUFS's own, and mean nothing. */
export function markerOf(entry: LayerEntry): Marker | undefined {
  if (!isMarker(entry)) return undefined;
  const [directory, base] = [parentOf(nameOf(entry)), baseOf(nameOf(entry))];
  if (base === ".wh..wh..opq") return { directory, name: undefined };
  if (base.startsWith(prefix + prefix)) return undefined;
  return { directory, name: base.slice(prefix.length) };
}

/** Decision: slashes at the start, at the end and in a row, and `.`, mean nothing in a name. */
export function nameOf({ name }: LayerEntry): ByteString {
  return partsOf(name).join("/");
}

export function partsOf(path: ByteString): ByteString[] {
  return path.split("/").filter((part) => part !== "" && part !== ".");
}

/** `a/b/c` → `a`, `a/b`, `a/b/c`. */
export function leadingPaths(path: ByteString): ByteString[] {
  const parts = partsOf(path);
  return parts.map((_, i) => parts.slice(0, i + 1).join("/"));
}

export function join(parent: ByteString, name: ByteString): ByteString {
  return parent === "" ? name : `${parent}/${name}`;
}

export function parentOf(path: ByteString): ByteString {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

export function baseOf(path: ByteString): ByteString {
  return path.slice(path.lastIndexOf("/") + 1);
}

export function isWithin(path: ByteString, directory: ByteString): boolean {
  return path === directory || path.startsWith(`${directory}/`);
}

/** Sorts paths as a walk through their tree meets them. */
export function byPath(a: ByteString, b: ByteString): number {
  // A slash comes before all that a name can hold.
  const [x, y] = [a.replaceAll("/", "\0"), b.replaceAll("/", "\0")];
  return x < y ? -1 : x > y ? 1 : 0;
}
