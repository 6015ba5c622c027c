import { TarReader } from "../oci/tar/reader.js";
import { ChunkSource } from "./chunk-source.js";
import { type FileFiller, fillingAtOnce } from "./file-content.js";
import type { LayerRecord } from "./layer-record.js";
import { LayerTree, type LayerTreeOptions } from "./layer-tree.js";
import { DigestLog } from "./listing/digest-log.js";
import type { ListingPlace } from "./listing/listing.js";
import { ListingWriter } from "./listing/listing-writer.js";

export interface WriteTreeOptions extends Pick<LayerTreeOptions, "policy" | "limits"> {
  readonly root: string;
  /** Where to write down what the tree holds; without it, that is not done. */
  readonly listing?: ListingPlace | undefined;
  /** Who writes the content of files, and their digests; by default each is written at once. */
  readonly filler?: FileFiller | undefined;
}

/**
 * Writes a layer's tar archive, pulled piece by piece to its last byte, as a tree.
 * @param pieces each of them valid until the next is pulled
 * @throws StageError IMAGE_INVALID, IMAGE_UNSUPPORTED, those of limits, and errors of system calls
 */
export function writeTree(
  pieces: Iterator<Buffer, undefined>,
  { root, listing: place, filler, policy, limits }: WriteTreeOptions,
): LayerRecord {
  const source = new ChunkSource(pieces);
  const reader = new TarReader(source);
  const digests = filler ? undefined : DigestLog.open(place);
  const listing = place && new ListingWriter({ ...place, owner: ownerOf(policy) });
  try {
    const options = { policy, limits, listing, filler: filler ?? fillingAtOnce(digests) };
    const tree = new LayerTree(root, options);
    const content = () => reader.content();
    for (let entry = reader.next(); entry; entry = reader.next()) tree.add(entry, content);
    // What follows the archive's end counts for the digests.
    source.drain();
    const record = tree.finish();
    if (!place || !listing) return record;
    const hashes = { listing: listing.finish(), digests: digests?.finish() ?? null };
    return { ...record, listing: { digests: place.digests, hashes } };
  } finally {
    listing?.close();
    digests?.close();
  }
}

/** Whose files are that get no owner of the image's. */
function ownerOf({ owner }: LayerTreeOptions["policy"]): { uid: number; gid: number } {
  if (owner === "image") return { uid: 0, gid: 0 };
  return { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
}
