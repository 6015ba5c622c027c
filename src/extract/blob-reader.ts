import { createHash } from "node:crypto";
import { closeSync } from "node:fs";
import { type HashAlgorithm, hashInBackground } from "../host/hash.js";
import { openRegularFile, readExactly, type Span } from "../host/span.js";

/**
 * The bytes of a blob, pulled piece by piece, and their hashes once all were pulled. Each piece is
 * valid until the next is pulled.
 */
export interface BlobReader {
  readonly pieces: Iterator<Buffer, undefined>;
  /** The hash in hex by one of the algorithms asked for. Call it after the last piece. */
  readonly hash: (algorithm: HashAlgorithm) => Promise<string>;
  readonly close: () => void;
}

export interface OpenBlobOptions {
  readonly algorithms: ReadonlySet<HashAlgorithm>;
  /** Length of the pieces in bytes. */
  readonly pieceSize: number;
}

/** Up to here a blob is read at once, so that it can be hashed beside the unpacking. */
const wholeLimit = 8 * 1024 * 1024;

/** @throws StageError NOT_FOUND, PERMISSION, IMAGE_INVALID when the file ends too early */
export function openBlob(span: Span, options: OpenBlobOptions): BlobReader {
  const { fd } = openRegularFile(span.path);
  try {
    if (span.size > wholeLimit) return readInPieces({ fd, span, ...options });
    const reader = readWhole({ fd, span, ...options });
    closeSync(fd);
    return reader;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

interface OpenBlob extends OpenBlobOptions {
  readonly fd: number;
  readonly span: Span;
}

function readWhole({ fd, span, algorithms, pieceSize }: OpenBlob): BlobReader {
  const bytes = Buffer.allocUnsafeSlow(span.size);
  readExactly(fd, { span, into: bytes, at: 0 });
  const hashes = new Map([...algorithms].map((a) => [a, hashInBackground(a, bytes)]));
  // Whoever stops half-way never asks for the hashes; that is no unhandled rejection.
  for (const hash of hashes.values()) hash.catch(() => undefined);
  function* pieces(): Generator<Buffer, undefined> {
    for (let at = 0; at < bytes.length; at += pieceSize) yield bytes.subarray(at, at + pieceSize);
  }
  return {
    pieces: pieces(),
    hash: (algorithm) => hashes.get(algorithm) ?? hashInBackground(algorithm, bytes),
    close: () => undefined,
  };
}

function readInPieces({ fd, span, algorithms, pieceSize }: OpenBlob): BlobReader {
  const hashes = new Map([...algorithms].map((a) => [a, createHash(a)]));
  const digests = new Map<HashAlgorithm, string>();
  function* pieces(): Generator<Buffer, undefined> {
    const buffer = Buffer.allocUnsafeSlow(pieceSize);
    for (let at = 0; at < span.size; ) {
      const piece = buffer.subarray(0, Math.min(pieceSize, span.size - at));
      readExactly(fd, { span, into: piece, at });
      for (const hash of hashes.values()) hash.update(piece);
      yield piece;
      at += piece.length;
    }
  }
  return {
    pieces: pieces(),
    hash: async (algorithm) => {
      const digest = digests.get(algorithm) ?? hashes.get(algorithm)?.digest("hex");
      if (digest === undefined) throw new TypeError(`no ${algorithm} hash was asked for`);
      digests.set(algorithm, digest);
      return digest;
    },
    close: () => closeSync(fd),
  };
}
