import { digestOf } from "../../oci/digest.js";
import type { Image, Layer, RemoteLayer } from "../../oci/image.js";
import type { Limits } from "../../oci/limits.js";
import { parseManifest } from "../../oci/manifest.js";
import { type BlobDescriptor, describeLayer } from "./blob-content.js";

/** What goes into an image's pack beside the note. */
export interface PackPlan {
  readonly manifest: BlobDescriptor & { readonly bytes: Buffer };
  readonly config: BlobDescriptor & { readonly bytes: Buffer };
  /** Each blob once. */
  readonly layers: readonly (BlobDescriptor & { readonly layer: Layer | RemoteLayer })[];
}

/**
 * Says which blobs a pack of an image consists of. A source that has no manifest gets one, for which
 * layers that are compressed are read.
 * @throws StageError what {@link describeLayer} throws
 */
export async function planPack(
  image: Image<Layer | RemoteLayer>,
  options: { limits: Limits; signal: AbortSignal | undefined },
): Promise<PackPlan> {
  const { chain, config: bytes } = image.documents;
  const stored = chain.at(-1);
  if (stored) {
    const { config, layers } = parseManifest(stored.bytes, "the manifest");
    const pairs = image.layers.flatMap((layer, i) => {
      const descriptor = layers[i];
      return descriptor ? [{ ...blobOf(descriptor), layer }] : [];
    });
    const { bytes: manifestBytes, digest, mediaType } = stored;
    const manifest = {
      // Not every registry says what it sends.
      mediaType: mediaType === "" ? manifestType : mediaType,
      digest,
      size: manifestBytes.length,
      bytes: manifestBytes,
    };
    return { manifest, config: { ...blobOf(config), bytes }, layers: distinct(pairs) };
  }
  const layers: (BlobDescriptor & { layer: Layer })[] = [];
  for (const layer of image.layers) {
    if (!("span" in layer)) throw new TypeError(`the layer ${layer.diffId} has no manifest`);
    layers.push({ ...(await describeLayer(layer, options)), layer });
  }
  const config = { mediaType: configType, digest: image.imageId, size: bytes.length };
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: manifestType,
      config,
      layers: layers.map(blobOf),
    }),
  );
  return {
    manifest: {
      mediaType: manifestType,
      digest: digestOf(manifest),
      size: manifest.length,
      bytes: manifest,
    },
    config: { ...config, bytes },
    layers: distinct(layers),
  };
}

const manifestType = "application/vnd.oci.image.manifest.v1+json";
const configType = "application/vnd.oci.image.config.v1+json";

function blobOf({ mediaType, digest, size }: BlobDescriptor): BlobDescriptor {
  return { mediaType, digest, size };
}

function distinct<Blob extends BlobDescriptor>(blobs: readonly Blob[]): readonly Blob[] {
  return [...new Map(blobs.map((blob) => [blob.digest, blob])).values()];
}
