import { closeSync, constants, fstatSync, openSync } from "node:fs";
import { crc32 } from "node:zlib";
import pLimit from "p-limit";
import { errnoOf } from "../../errors.js";
import { type ByteString, pathBelow } from "../../host/byte-string.js";
import { hashInBackground } from "../../host/hash.js";
import { readFully } from "../../host/span.js";
import { joinDigests, pieceSize } from "../listing/content-digest.js";
import { digestLength, type FileDigestAlgorithm } from "../listing/listing.js";

/** Files of one tree whose content is to be hashed. Plain data, so that another thread can do it. */
export interface DigestTask {
  readonly root: string;
  readonly files: readonly FileToDigest[];
}

export interface FileToDigest {
  readonly path: ByteString;
  readonly algorithm: FileDigestAlgorithm;
}

/** A digest in hex, or the errno code of why there is none. */
export type FileDigested = { readonly digest: string } | { readonly errno: string };

/** How many pieces are hashed at once: as many as libuv has threads, and one to read meanwhile. */
const piecesAtOnce = 5;

/** Hashes files, many at a time and in pieces, so memory does not depend on their sizes. */
export async function digestFiles({ root, files }: DigestTask): Promise<readonly FileDigested[]> {
  const limit = pLimit(piecesAtOnce);
  const digested: Promise<FileDigested>[] = [];
  for (const { path, algorithm } of files) {
    if (algorithm === "crc32") digested.push(Promise.resolve(checksumOf(root, path)));
    else digested.push(hashPieces(root, { path, limit }));
    await roomIn(limit);
  }
  return await Promise.all(digested);
}

/** Waits until what is under way is so little that more may be read. */
async function roomIn(limit: ReturnType<typeof pLimit>): Promise<void> {
  while (limit.pendingCount > 0) await limit(() => undefined);
}

async function hashPieces(
  root: string,
  { path, limit }: { path: ByteString; limit: ReturnType<typeof pLimit> },
): Promise<FileDigested> {
  const fd = openFile(root, path);
  if (typeof fd === "string") return { errno: fd };
  try {
    const { size } = fstatSync(fd);
    const pieces: Promise<string>[] = [];
    for (let at = 0; at < size; at += pieceSize) {
      pieces.push(
        limit(async () => {
          const piece = Buffer.allocUnsafeSlow(Math.min(pieceSize, size - at));
          return await hashInBackground("sha256", piece.subarray(0, readFully(fd, piece, at)));
        }),
      );
    }
    const digests = (await Promise.all(pieces)).map((text) => Buffer.from(text, "hex"));
    return { digest: joinDigests(digests).toString("hex") };
  } catch (error) {
    return { errno: errnoOrThrow(error) };
  } finally {
    closeSync(fd);
  }
}

let shared: Buffer | undefined;

function checksumOf(root: string, path: ByteString): FileDigested {
  const fd = openFile(root, path);
  if (typeof fd === "string") return { errno: fd };
  shared ??= Buffer.allocUnsafeSlow(pieceSize);
  try {
    let sum = 0;
    for (let at = 0, read = pieceSize; read === pieceSize; at += read) {
      read = readFully(fd, shared, at);
      sum = crc32(shared.subarray(0, read), sum);
    }
    return { digest: sum.toString(16).padStart(2 * digestLength.crc32, "0") };
  } catch (error) {
    return { errno: errnoOrThrow(error) };
  } finally {
    closeSync(fd);
  }
}

/** Never waits for what somebody may have put in the file's place, and never follows it. */
const openFlags =
  constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;

/** @returns the errno code where it can't be opened */
function openFile(root: string, path: ByteString): number | string {
  try {
    return openSync(pathBelow(root, path), openFlags);
  } catch (error) {
    return errnoOrThrow(error);
  }
}

function errnoOrThrow(error: unknown): string {
  const errno = errnoOf(error);
  if (errno === undefined) throw error;
  return errno;
}
