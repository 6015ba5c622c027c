import type { ByteString } from "../host/byte-string.js";
import type { LayerRecord } from "./layer-record.js";

/** A whiteout, which hides `path`, or an opaque marker, which hides all that `path` holds. */
export interface LowerMarker {
  readonly path: ByteString;
  readonly isOpaque: boolean;
}

/**
 * A layer's markers in the order in which they are applied; that of its archive means nothing
 * (image-spec, layer.md, "Whiteouts"). What lies nearest to the root is hidden first, so that a
 * marker below a link that is hidden too does not mean the link's target.
 */
export function fromRootDown(
  record: Pick<LayerRecord, "whiteouts" | "opaque">,
): readonly LowerMarker[] {
  const markers = [
    ...record.whiteouts.map((path) => ({ path, isOpaque: false, depth: depthOf(path) })),
    ...record.opaque.map((path) => ({ path, isOpaque: true, depth: depthOf(path) + 1 })),
  ];
  return markers.sort((a, b) => a.depth - b.depth || (a.path < b.path ? -1 : 1));
}

function depthOf(path: ByteString): number {
  return path === "" ? 0 : path.split("/").length;
}
