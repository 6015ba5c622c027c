import { readEntry } from "../cache/entry.js";
import { hasLayer } from "../cache/layer-store.js";
import { fromSystemError } from "../errors.js";
import { printable } from "../host/byte-string.js";
import type { RuntimeConfig } from "../oci/config.js";
import { cacheName, checkRequest, keyOf, type StageOptions } from "./request.js";
import { ImageOpener } from "./sources/image-opener.js";
import { isStagedImage } from "./staged-image.js";

/** What an image says of itself, and what of it is in the cache. Keys are only ever added. */
export interface Inspection {
  readonly schemaVersion: 1;
  readonly reference: string;
  /** Digest of the image's config. */
  readonly imageId: string;
  /** Null where the source has no manifest with a digest. */
  readonly manifestDigest: string | null;
  readonly platform: string;
  readonly config: RuntimeConfig;
  /** The base layer first. */
  readonly layers: readonly InspectedLayer[];
  /** The name that the image's entry in the cache has, or would have. */
  readonly key: string;
  /** Whether the image stands in the cache. */
  readonly cached: boolean;
}

export interface InspectedLayer {
  readonly diffId: string;
  /** Digest of the blob as it is stored; null where the source states none. */
  readonly digest: string | null;
  /** Length of the blob as it is stored, in bytes. */
  readonly size: number;
  /** Whether the cache has it unpacked. */
  readonly cached: boolean;
}

/**
 * Reads an image's manifest and config, and verifies them; stages nothing.
 * @param image a reference, as on the command line
 * @throws StageError with any code but SANDBOX; what `options.signal` was aborted with
 */
export async function inspectImage(image: string, options: StageOptions = {}): Promise<Inspection> {
  options.signal?.throwIfAborted();
  const request = checkRequest(image, options);
  const opener = new ImageOpener(request);
  try {
    const { imageId, manifestDigest, platform, config, layers } = await opener.open();
    const key = keyOf(request, { imageId });
    return {
      schemaVersion: 1,
      reference: image,
      imageId,
      manifestDigest,
      platform,
      config,
      layers: layers.map(({ diffId, digest, size }) => {
        const cached = hasLayer(request.layout, cacheName(request, diffId));
        return { diffId, digest, size, cached };
      }),
      key,
      cached: readEntry(request.layout, { key, isDetails: isStagedImage }) !== undefined,
    };
  } catch (error) {
    throw fromSystemError(error, `inspect ${printable(image)}`);
  } finally {
    await opener.close();
  }
}
