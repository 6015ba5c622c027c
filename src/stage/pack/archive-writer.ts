import { createHash } from "node:crypto";
import { createWriteStream, renameSync, rmSync } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { pack } from "tar-stream";
import { errnoOf, fromSystemError, StageError } from "../../errors.js";
import type { Span } from "../../host/span.js";
import { uniqueWord } from "../../host/unique-word.js";
import { checkDigest, type Digest, digestFromHash, splitDigest } from "../../oci/digest.js";
import { piecesOf } from "./blob-content.js";

/** A tar archive under way. Members are added one at a time. */
export interface ArchiveWriter {
  /** Adds a file. */
  readonly add: (name: string, content: Buffer) => Promise<void>;
  /**
   * Adds a blob of an OCI layout, whose content is checked while it is copied.
   * @throws StageError DIGEST_MISMATCH, IMAGE_INVALID for a span that its file does not hold
   */
  readonly addBlob: (digest: Digest, span: Span) => Promise<void>;
}

/** The member that a blob is (image-spec, image-layout.md, "Blobs"). */
export function blobName(digest: Digest): string {
  const { algorithm, hex } = splitDigest(digest);
  return `blobs/${algorithm}/${hex}`;
}

/**
 * Writes a tar archive that is there, complete, once `work` is done, and not before. When it fails,
 * what was there under the path stays.
 * @throws StageError NO_SPACE, NOT_WRITABLE, PERMISSION, NOT_FOUND; what `work` throws
 */
export async function writeArchive(
  path: string,
  {
    work,
    signal,
  }: { work: (archive: ArchiveWriter) => Promise<void>; signal?: AbortSignal | undefined },
): Promise<void> {
  const temporary = `${path}.${uniqueWord()}.tmp`;
  const tar = pack();
  const writing = pipeline(tar, createWriteStream(temporary, { flags: "wx" }), { signal });
  const member = async (name: string, size: number, pieces: AsyncIterable<Buffer>) => {
    const entry = tar.entry({ name, size, mode: 0o644, mtime: new Date(0) });
    await pipeline(Readable.from(pieces), entry);
  };
  const working = work({
    add: async (name, content) => await member(name, content.length, inOnePiece(content)),
    addBlob: async (digest, span) => {
      await member(blobName(digest), span.size, checkedPieces(span, { digest, signal }));
    },
  }).then(
    () => tar.finalize(),
    (error: unknown) => {
      tar.destroy();
      throw error;
    },
  );
  try {
    // Either ends the other; nothing may be written any more when the file is removed.
    const results = await Promise.allSettled([working, writing]);
    signal?.throwIfAborted();
    const errors = results.flatMap((r) => (r.status === "rejected" ? [r.reason] : []));
    const said = errors.find((e) => e instanceof StageError) ?? errors.find((e) => isOfDisk(e));
    if (errors.length > 0) throw said ?? errors[0];
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw fromSystemError(error, `write ${path}`);
  }
}

/** Not one that streams tell one another when they end. */
function isOfDisk(error: unknown): boolean {
  return !errnoOf(error)?.startsWith("ERR_");
}

async function* inOnePiece(content: Buffer): AsyncGenerator<Buffer> {
  yield content;
}

async function* checkedPieces(
  span: Span,
  { digest, signal }: { digest: Digest; signal: AbortSignal | undefined },
): AsyncGenerator<Buffer> {
  const hash = createHash(splitDigest(digest).algorithm);
  for await (const piece of piecesOf(span, signal)) {
    hash.update(piece);
    yield piece;
  }
  const actual = digestFromHash(hash.digest("hex"), { like: digest });
  checkDigest(`the blob in ${span.path}`, { expected: digest, actual });
}
