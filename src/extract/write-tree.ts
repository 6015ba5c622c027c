import { TarReader } from "../oci/tar/reader.js";
import { ChunkSource } from "./chunk-source.js";
import type { LayerRecord } from "./layer-record.js";
import { LayerTree, type LayerTreeOptions } from "./layer-tree.js";

/**
 * Writes a layer's tar archive, pulled piece by piece to its last byte, as a tree.
 * @param pieces each of them valid until the next is pulled
 * @throws StageError IMAGE_INVALID, IMAGE_UNSUPPORTED, those of limits, and errors of system calls
 */
export function writeTree(
  pieces: Iterator<Buffer, undefined>,
  { root, ...options }: LayerTreeOptions & { root: string },
): LayerRecord {
  const source = new ChunkSource(pieces);
  const reader = new TarReader(source);
  const tree = new LayerTree(root, options);
  const content = () => reader.content();
  for (let entry = reader.next(); entry; entry = reader.next()) tree.add(entry, content);
  // What follows the archive's end counts for the digests.
  source.drain();
  return tree.finish();
}
