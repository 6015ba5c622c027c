import { StageError } from "../errors.js";
import { printable } from "../host/byte-string.js";
import { type HashAlgorithm, hashNow } from "../host/hash.js";

/** A content's digest, `sha256:<hex>` (image-spec, descriptor.md, "Digests"). */
export type Digest = `${HashAlgorithm}:${string}`;

const grammar = /^[a-z0-9]+(?:[+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$/;
const supported = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

export function isDigest(text: string): text is Digest {
  return supported.test(text);
}

/**
 * @throws StageError IMAGE_UNSUPPORTED for an algorithm that is not supported, IMAGE_INVALID for
 * what is no digest
 */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text;
  const algorithm = text.slice(0, text.indexOf(":"));
  if (grammar.test(text) && algorithm !== "sha256" && algorithm !== "sha512") {
    throw new StageError("IMAGE_UNSUPPORTED", `digests by ${algorithm} are not supported`);
  }
  throw new StageError("IMAGE_INVALID", `"${printable(text)}" is not a digest`);
}

export function splitDigest(digest: Digest): { algorithm: HashAlgorithm; hex: string } {
  const algorithm = digest.startsWith("sha512:") ? "sha512" : "sha256";
  return { algorithm, hex: digest.slice(7) };
}

/** The digest of a document at hand, by the algorithm of `like` (default: sha256). */
export function digestOf(bytes: Buffer, like: Digest = "sha256:"): Digest {
  const { algorithm } = splitDigest(like);
  return `${algorithm}:${hashNow(algorithm, bytes)}`;
}

/** A hash in hex as a digest of the same algorithm as `like`. */
export function digestFromHash(hash: string, { like }: { like: Digest }): Digest {
  return `${splitDigest(like).algorithm}:${hash}`;
}

/** @throws StageError DIGEST_MISMATCH, naming `what` */
export function checkDigest(what: string, digests: { expected: Digest; actual: Digest }): void {
  const { expected, actual } = digests;
  if (expected === actual) return;
  throw new StageError("DIGEST_MISMATCH", `${what} should be ${expected}, but is ${actual}`, {
    hint: "the image is damaged: fetch or copy it again",
  });
}
