import { type ErrorCode, StageError } from "../errors.js";

/** How much an image may ask for. Each is far beyond what honest images need. */
export interface Limits {
  /** Layers of an image. */
  readonly layers: number;
  /** Bytes of a manifest, index or config. */
  readonly document: number;
  /** Entries of a layer. */
  readonly entries: number;
  /** Bytes of file content in a layer. */
  readonly unpacked: number;
  /** Bytes of one file. */
  readonly file: number;
  /** Bytes of names and attributes of a layer that are kept beside its tree. */
  readonly record: number;
  /** Components of a path. */
  readonly depth: number;
  /** Bytes of a layer for each byte as it is stored; counts from a gibibyte on. */
  readonly ratio: number;
}

export const defaultLimits: Limits = {
  layers: 1000,
  // Registries allow 4 MiB.
  document: 16 * 1024 ** 2,
  entries: 10_000_000,
  unpacked: 1024 ** 4,
  file: 1024 ** 4,
  record: 256 * 1024 ** 2,
  depth: 1024,
  // gzip reaches 1032 at the most, on zeros; programs and data stay below 10.
  ratio: 500,
};

/** How far limits can be set: deeper trees would need more stack than there is. */
export const limitRange: { readonly depth: number; readonly others: number } = {
  depth: 4096,
  others: Number.MAX_SAFE_INTEGER,
};

/** Below so many bytes of output a compression ratio says nothing. */
const ratioCountsFrom = 1024 ** 3;

/** Watches that what is decompressed stays within proportion to what is stored. */
export class InflationGuard {
  readonly #limits: Limits;
  readonly #place: string;
  #stored = 0;
  #inflated = 0;

  constructor(limits: Limits, place: string) {
    this.#limits = limits;
    this.#place = place;
  }

  /** Counts bytes as they are stored, before what they hold. */
  stored(bytes: number): void {
    this.#stored += bytes;
  }

  /** Counts bytes that came out. @throws StageError LIMIT_RATIO */
  inflated(bytes: number): void {
    this.#inflated += bytes;
    if (this.#inflated < ratioCountsFrom) return;
    const value = this.#inflated / this.#stored;
    checkLimit(this.#limits, { name: "ratio", value, place: () => this.#place });
  }
}

const named: Readonly<Record<keyof Limits, { code: ErrorCode; what: string; option: string }>> = {
  layers: { code: "LIMIT_LAYERS", what: "layers", option: "--max-layers" },
  document: { code: "LIMIT_DOCUMENT", what: "bytes in a document", option: "--max-document" },
  entries: { code: "LIMIT_ENTRIES", what: "entries in a layer", option: "--max-entries" },
  unpacked: { code: "LIMIT_UNPACKED", what: "unpacked bytes in a layer", option: "--max-unpacked" },
  file: { code: "LIMIT_FILE", what: "bytes in a file", option: "--max-file" },
  record: { code: "LIMIT_RECORD", what: "bytes to be kept on record", option: "--max-record" },
  depth: { code: "LIMIT_DEPTH", what: "components in a path", option: "--max-depth" },
  ratio: { code: "LIMIT_RATIO", what: "bytes for each compressed one", option: "--max-ratio" },
};

/**
 * Checks what an image asks for against a limit.
 * @param place where in the image, for the message
 * @throws StageError with the limit's own code
 */
export function checkLimit(
  limits: Limits,
  check: { name: keyof Limits; value: number; place: () => string },
): void {
  const { name, value, place } = check;
  const limit = limits[name];
  if (value <= limit) return;
  const { code, what, option } = named[name];
  throw new StageError(code, `${place()}: more than ${limit} ${what}`, {
    hint: `if you trust the image, allow more with ${option}`,
  });
}
