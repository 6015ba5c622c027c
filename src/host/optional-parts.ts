import { createRequire } from "node:module";
import * as zlib from "node:zlib";

/** What makes some work faster, or more complete, where it is installed. */
export interface OptionalParts {
  readonly "fs-xattr": boolean;
  readonly "@ronomon/crypto-async": boolean;
  /** Whether Node itself decompresses zstd. */
  readonly zstd: boolean;
}

export function optionalParts(): OptionalParts {
  return {
    "fs-xattr": loads("fs-xattr"),
    "@ronomon/crypto-async": loads("@ronomon/crypto-async"),
    zstd: "createZstdDecompress" in zlib,
  };
}

function loads(name: string): boolean {
  try {
    createRequire(import.meta.url)(name);
    return true;
  } catch {
    return false;
  }
}
