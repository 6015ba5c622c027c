import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { loadNow } from "./loading-gate.js";

/** The hash algorithms of the image-spec that are worth having (descriptor.md, "Registered algorithms"). */
export type HashAlgorithm = "sha256" | "sha512";

/** Hash of text or a small buffer, in lower-case hex, on this thread. */
export function hashNow(algorithm: HashAlgorithm, bytes: Buffer | string): string {
  return createHash(algorithm).update(bytes).digest("hex");
}

type NativeHash = (
  algorithm: string,
  source: Buffer,
  done: (error: Error | undefined, hash: Buffer) => void,
) => void;

let native: NativeHash | undefined;
let looked = false;

/**
 * Hash of a whole buffer, in lower-case hex, on libuv's thread pool, so that the caller's thread can
 * go on. Without the native package (it is optional: no compiler, `--ignore-scripts`) the hash is
 * computed on this thread. `bytes` must not change before the promise settles.
 */
export function hashInBackground(algorithm: HashAlgorithm, bytes: Buffer): Promise<string> {
  const hash = nativeHash();
  // The native code aborts the process on an empty buffer.
  if (!hash || bytes.length === 0) return Promise.resolve(hashNow(algorithm, bytes));
  return new Promise((resolve, reject) => {
    hash(algorithm, bytes, (error, digest) => {
      if (error) reject(error);
      else resolve(digest.toString("hex"));
    });
  });
}

function nativeHash(): NativeHash | undefined {
  if (!looked) {
    native = loadNow(() => {
      try {
        return createRequire(import.meta.url)("@ronomon/crypto-async").hash;
      } catch {
        return undefined;
      }
    });
    looked = true;
  }
  return native;
}
