import { createHash, type Hash, hash } from "node:crypto";
import { crc32 } from "node:zlib";
import type { FileDigest } from "./listed-node.js";
import { digestLength, type FileDigestAlgorithm } from "./listing.js";

/**
 * A longer file's digest by SHA-256 is that of its pieces' digests, one after another. So many
 * pieces can be hashed at once, by code that takes whole buffers only.
 */
export const pieceSize: number = 1024 * 1024;

/** The digest of files' content, as it passes by. A digest is good until the next one is made. */
export interface ContentDigester {
  /** Takes the next bytes of a file. */
  add(bytes: Buffer): void;
  /** The digest of the file; the next bytes are those of another. */
  end(): Buffer;
  /** The digest of a file that comes in one piece. */
  whole(bytes: Buffer): Buffer;
}

export function contentDigester(algorithm: FileDigestAlgorithm): ContentDigester {
  return algorithm === "sha256" ? new PieceHasher() : new Checksum();
}

class PieceHasher implements ContentDigester {
  readonly #digests: Buffer[] = [];
  /** Of the piece that is not complete yet. */
  #hash: Hash | undefined;
  #hashed = 0;

  add(bytes: Buffer): void {
    for (let rest = bytes; rest.length > 0; ) {
      const part = rest.subarray(0, pieceSize - this.#hashed);
      rest = rest.subarray(part.length);
      this.#hash ??= createHash("sha256");
      this.#hash.update(part);
      this.#hashed += part.length;
      if (this.#hashed === pieceSize) this.#endPiece();
    }
  }

  end(): Buffer {
    this.#endPiece();
    const digests = this.#digests.splice(0);
    return joinDigests(digests);
  }

  whole(bytes: Buffer): Buffer {
    if (bytes.length <= pieceSize) return hash("sha256", bytes, "buffer");
    this.add(bytes);
    return this.end();
  }

  #endPiece(): void {
    if (this.#hash) this.#digests.push(this.#hash.digest());
    this.#hash = undefined;
    this.#hashed = 0;
  }
}

/** The digest of a file from those of its pieces; of an empty file from none. */
export function joinDigests(digests: readonly Buffer[]): Buffer {
  const [first, ...others] = digests;
  return first && others.length === 0 ? first : hash("sha256", Buffer.concat(digests), "buffer");
}

/** A digest of a table, in hex. */
export function digestText({ algorithm, table, index }: FileDigest): string {
  const length = digestLength[algorithm];
  return table.subarray(index * length, (index + 1) * length).toString("hex");
}

class Checksum implements ContentDigester {
  #sum = 0;
  readonly #digest: Buffer = Buffer.alloc(digestLength.crc32);

  add(bytes: Buffer): void {
    this.#sum = crc32(bytes, this.#sum);
  }

  end(): Buffer {
    this.#digest.writeUInt32BE(this.#sum);
    this.#sum = 0;
    return this.#digest;
  }

  whole(bytes: Buffer): Buffer {
    this.add(bytes);
    return this.end();
  }
}
