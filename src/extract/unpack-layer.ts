import { createHash } from "node:crypto";
import { fromSystemError, within } from "../errors.js";
import { type Compression, detectCompression, magicLength } from "../host/compression.js";
import { oneBlock } from "../host/decompress/block-filler.js";
import { createDecompressor, inputChunk, openEngine } from "../host/decompress/decompress.js";
import type { Engine } from "../host/decompress/engine.js";
import type { HashAlgorithm } from "../host/hash.js";
import { readStart, type Span } from "../host/span.js";
import { checkDigest, type Digest, digestFromHash, splitDigest } from "../oci/digest.js";
import { InflationGuard, type Limits } from "../oci/limits.js";
import { type BlobReader, openBlob } from "./blob-reader.js";
import type { LayerRecord } from "./layer-record.js";
import type { ListingPlace } from "./listing/listing.js";
import type { OwnershipPolicy } from "./policy.js";
import { addProgress, type UnpackProgress } from "./unpack-progress.js";
import { writeTree } from "./write-tree.js";

/** All that unpacking one layer needs; plain data, so that another thread can do it. */
export interface UnpackLayerTask {
  readonly span: Span;
  /** Digest of the layer's tar archive, uncompressed. */
  readonly diffId: Digest;
  /** Digest of the blob as it is stored, where one is stated. */
  readonly digest: Digest | null;
  /** An empty directory that nobody else writes to. */
  readonly tree: string;
  readonly policy: OwnershipPolicy;
  readonly limits: Limits;
  /** Is told how far the work is. */
  readonly progress?: UnpackProgress | undefined;
  /** Where to write down what the tree holds; without it, that is not done. */
  readonly listing?: ListingPlace | undefined;
}

/**
 * Unpacks a layer into a tree of its own and verifies both its digests. Runs on the calling thread,
 * which it keeps busy. When it fails, the tree is to be thrown away.
 * @throws StageError IMAGE_INVALID, IMAGE_UNSUPPORTED, DIGEST_MISMATCH, NO_SPACE
 */
export async function unpackLayer(task: UnpackLayerTask): Promise<LayerRecord> {
  const { span, diffId, digest, tree: root, policy, limits, listing } = task;
  try {
    const compression = detectCompression(readStart(span, magicLength));
    const blob = openBlob(span, blobOptions(task, compression));
    try {
      const tar =
        compression === "none"
          ? blob
          : decompressed(blob, { ...task, compression, engine: await openEngine(compression) });
      const pieces = counted(tar.pieces, { ...task, compression });
      const record = writeTree(pieces, { root, policy, limits, listing });
      if (digest) await check("its blob", { expected: digest, reader: blob });
      await check("its diffID", { expected: diffId, reader: tar });
      return record;
    } finally {
      blob.close();
    }
  } catch (error) {
    throw within(`layer ${diffId}`, fromSystemError(error, `unpack into ${task.tree}`));
  }
}

/**
 * A tree is written without a pause, so a thread needs one block for all its layers. Memory of their
 * own would pile up where layers are small and many: the collector does not see its size.
 */
const nextBlock = oneBlock();

/** What is not decompressed needs no small steps. */
const plainChunk = 256 * 1024;

function blobOptions({ digest, diffId }: UnpackLayerTask, compression: Compression) {
  const algorithms = new Set<HashAlgorithm>();
  if (digest) algorithms.add(splitDigest(digest).algorithm);
  // Of a layer that is stored plain, the blob's digest and the diffID are hashes of the same bytes.
  if (compression === "none") algorithms.add(splitDigest(diffId).algorithm);
  return { algorithms, pieceSize: compression === "none" ? plainChunk : inputChunk };
}

type HashedPieces = Pick<BlobReader, "pieces" | "hash">;

function decompressed(
  blob: BlobReader,
  how: {
    compression: "gzip" | "zstd";
    engine: Engine;
    diffId: Digest;
    limits: Limits;
    progress?: UnpackProgress | undefined;
  },
): HashedPieces {
  const hash = createHash(splitDigest(how.diffId).algorithm);
  function* pieces(): Generator<Buffer, undefined> {
    const decompressor = createDecompressor(how.compression, { engine: how.engine, nextBlock });
    const guard = new InflationGuard(how.limits, "its blob");
    for (let piece = blob.pieces.next().value; piece; piece = blob.pieces.next().value) {
      guard.stored(piece.length);
      addProgress(how.progress, { stored: piece.length });
      for (const out of decompressor.push(piece)) {
        guard.inflated(out.length);
        hash.update(out);
        yield out;
      }
    }
    for (const out of decompressor.end()) {
      hash.update(out);
      yield out;
    }
  }
  return { pieces: pieces(), hash: async () => hash.digest("hex") };
}

/** Tells of each piece of an archive when it was used. */
function* counted(
  pieces: Iterator<Buffer, undefined>,
  { progress, compression }: { progress?: UnpackProgress | undefined; compression: Compression },
): Generator<Buffer, undefined> {
  for (let piece = pieces.next().value; piece; piece = pieces.next().value) {
    yield piece;
    const { length } = piece;
    addProgress(progress, { content: length, stored: compression === "none" ? length : 0 });
  }
}

async function check(
  what: string,
  against: { expected: Digest; reader: HashedPieces },
): Promise<void> {
  const { expected, reader } = against;
  const hash = await reader.hash(splitDigest(expected).algorithm);
  checkDigest(what, { expected, actual: digestFromHash(hash, { like: expected }) });
}
