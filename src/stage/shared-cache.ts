import { ownersOnly } from "../cache/place/location.js";
import { hitOf } from "./hit.js";
import type { StageRequest } from "./request.js";
import type { StageResult } from "./result.js";
import { ImageOpener } from "./sources/image-opener.js";

/**
 * Finds an image in a cache that somebody else shares, where the cache does not know its source:
 * by what the image says of itself.
 * @throws StageError PERMISSION when it would have to be staged, or something in it made; what
 * opening an image throws
 */
export async function findShared(request: StageRequest): Promise<StageResult> {
  const opener = new ImageOpener(request);
  try {
    const { waitedMs: waitMs } = request;
    const hit = hitOf(request, await opener.open(), { waitMs, isForeign: true });
    if (hit) return hit;
  } finally {
    await opener.close();
  }
  throw ownersOnly(request.cacheDirectory);
}
