import { createHash } from "node:crypto";
import { closeSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { within } from "../../errors.js";
import { detectCompression, magicLength } from "../../host/compression.js";
import { outputBlock } from "../../host/decompress/block-filler.js";
import { createDecompressor, inputChunk, openEngine } from "../../host/decompress/decompress.js";
import { openRegularFile, readExactly, readStart, type Span } from "../../host/span.js";
import { checkDigest, type Digest, digestFromHash, splitDigest } from "../../oci/digest.js";
import type { LayerSummary } from "../../oci/image.js";
import { InflationGuard, type Limits } from "../../oci/limits.js";

/** How a blob is named in a manifest. */
export interface BlobDescriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
}

/** The pieces of a span, one after the other, with turns for other work between them. */
export async function* piecesOf(
  span: Span,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer> {
  const { fd } = openRegularFile(span.path);
  try {
    for (let at = 0; at < span.size; ) {
      signal?.throwIfAborted();
      // Whoever writes it may hold on to it for a while.
      const piece = Buffer.allocUnsafe(Math.min(pieceSize, span.size - at));
      readExactly(fd, { span, into: piece, at });
      yield piece;
      at += piece.length;
      await nextTurn();
    }
  } finally {
    closeSync(fd);
  }
}

const pieceSize = 1024 * 1024;

/**
 * What a layer's blob is to be called in a manifest, found out by reading it; and whether it holds
 * what the image's config says is checked on the way.
 * @throws StageError DIGEST_MISMATCH, IMAGE_INVALID, IMAGE_UNSUPPORTED, LIMIT_RATIO
 */
export async function describeLayer(
  layer: LayerSummary & { readonly span: Span },
  { limits, signal }: { limits: Limits; signal: AbortSignal | undefined },
): Promise<BlobDescriptor> {
  const { span, diffId, digest } = layer;
  const { size } = span;
  const what = `layer ${diffId}`;
  const format = detectCompression(readStart(span, magicLength));
  // Copying checks it.
  if (format === "none") return { mediaType: layerType, digest: diffId, size };
  try {
    const stored = createHash("sha256");
    const content = createHash(splitDigest(diffId).algorithm);
    const guard = new InflationGuard(limits, what);
    const nextBlock = () => Buffer.allocUnsafe(outputBlock);
    const decompressor = createDecompressor(format, {
      engine: await openEngine(format),
      nextBlock,
    });
    const take = (out: Buffer) => {
      guard.inflated(out.length);
      content.update(out);
    };
    for await (const piece of piecesOf(span, signal)) {
      stored.update(piece);
      for (let at = 0; at < piece.length; at += inputChunk) {
        const part = piece.subarray(at, at + inputChunk);
        guard.stored(part.length);
        for (const out of decompressor.push(part)) take(out);
      }
    }
    for (const out of decompressor.end()) take(out);
    const actual = digestFromHash(content.digest("hex"), { like: diffId });
    checkDigest("its content", { expected: diffId, actual });
    const found: Digest = `sha256:${stored.digest("hex")}`;
    return { mediaType: `${layerType}+${format}`, digest: digest ?? found, size };
  } catch (error) {
    throw within(what, error);
  }
}

const layerType = "application/vnd.oci.image.layer.v1.tar";
