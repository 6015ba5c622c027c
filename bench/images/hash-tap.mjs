// @ts-check
import { createHash } from "node:crypto";
import { Transform } from "node:stream";

/** A stream that passes everything on and hashes it. */
export class HashTap extends Transform {
  #hash = createHash("sha256");

  /**
   * @override
   * @param {Buffer} piece
   * @param {BufferEncoding} _encoding
   * @param {import("node:stream").TransformCallback} done
   */
  _transform(piece, _encoding, done) {
    this.#hash.update(piece);
    done(null, piece);
  }

  /** The hash in hex, when all has passed. */
  hex() {
    return this.#hash.digest("hex");
  }
}
