import type { ByteString } from "../host/byte-string.js";
import { baseOf, join, parentOf, RootedTree } from "../host/rooted-tree.js";
import type { GrowingRootfs } from "./growing-rootfs.js";
import { fromRootDown } from "./marker-order.js";
import type { UnpackedLayer } from "./unpacked-layer.js";

/** A layer's own tree, and which of its directories it only passes through. */
interface OwnTree {
  readonly own: RootedTree;
  readonly implied: ReadonlySet<ByteString>;
}

/**
 * Removes what whiteouts and opaque markers of a layer hide (image-spec, layer.md, "Whiteouts").
 * @param layer is not added yet
 */
export function hideLower(
  rootfs: GrowingRootfs,
  { layer, implied }: { layer: UnpackedLayer; implied: ReadonlySet<ByteString> },
): void {
  const { tree, record } = layer;
  const own = new RootedTree(tree, rootfs.disk);
  // A link of the layer's own leads its markers where it leads its files.
  const markers = fromRootDown({
    whiteouts: record.whiteouts.map((path) => join(own.resolveLinks(parentOf(path)), baseOf(path))),
    opaque: record.opaque.map((path) => own.resolveLinks(path)),
  });
  for (const { path, isOpaque } of markers) {
    const hidden = isOpaque ? path : parentOf(path);
    const directory = lowerDirectory(rootfs.tree, { path: hidden, own, implied });
    if (directory === undefined) continue;
    if (isOpaque) rootfs.empty(directory);
    else rootfs.remove(join(directory, baseOf(path)));
  }
}

/**
 * The directory of lower layers that `path` of a layer means. Links are followed, but not where the
 * layer puts a directory of its own in a link's place.
 */
function lowerDirectory(
  lower: RootedTree,
  { path, own, implied }: OwnTree & { path: ByteString },
): ByteString | undefined {
  let directory: ByteString = "";
  let below: ByteString = "";
  let hasOwn = true;
  for (const name of path === "" ? [] : path.split("/")) {
    below = join(below, name);
    hasOwn = hasOwn && own.kindOf(below) === "directory";
    const place = join(directory, name);
    const isDescribed = hasOwn && !implied.has(below);
    if (isDescribed && !lower.isKnownDirectory(place)) return undefined;
    const resolved = lower.resolveDirectory(place);
    if (resolved === undefined) return undefined;
    directory = resolved;
  }
  return directory;
}
