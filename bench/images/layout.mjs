// @ts-check
/** Writing an OCI image layout (image-spec, image-layout.md) around layers that are there. */
import { createHash } from "node:crypto";
import { linkSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * @typedef {object} Layer a compressed layer
 * @property {string} path
 * @property {string} digest
 * @property {string} diffId
 * @property {number} size in bytes, compressed
 */

/** The name that every image of the bench has in its layout. */
export const TAG = "bench";

/** Node's names for processors, as OCI images spell them. */
const ARCHITECTURES = new Map([
  ["x64", "amd64"],
  ["ia32", "386"],
  ["ppc64", "ppc64le"],
]);

/**
 * Writes an image's documents into a directory, and links its layers into it.
 * @param {string} directory
 * @param {{ layers: readonly Layer[], compression: import("./compress.mjs").Compression }} image
 * @returns {readonly Layer[]} the layers, at their place in the layout
 */
export function writeLayout(directory, { layers, compression }) {
  const blobs = blobDirectory(directory);
  const linked = new Map(layers.map((layer) => [layer.digest, join(blobs, hexOf(layer.digest))]));
  for (const { path, digest } of layers) {
    const place = linked.get(digest);
    if (place !== undefined && place !== path) {
      linkSync(path, place);
    }
  }
  const config = addDocument(blobs, {
    mediaType: "application/vnd.oci.image.config.v1+json",
    document: {
      architecture: ARCHITECTURES.get(process.arch) ?? process.arch,
      os: "linux",
      config: { Env: ["PATH=/usr/bin:/bin"], Cmd: ["/bin/sh"] },
      rootfs: { type: "layers", diff_ids: layers.map(({ diffId }) => diffId) },
    },
  });
  const mediaType = "application/vnd.oci.image.manifest.v1+json";
  const manifest = addDocument(blobs, {
    mediaType,
    document: {
      schemaVersion: 2,
      mediaType,
      config,
      layers: layers.map(({ digest, size }) => ({
        mediaType: `application/vnd.oci.image.layer.v1.tar+${compression}`,
        digest,
        size,
      })),
    },
  });
  const annotations = { "org.opencontainers.image.ref.name": TAG };
  const index = { schemaVersion: 2, manifests: [{ ...manifest, annotations }] };
  writeFileSync(join(directory, "index.json"), JSON.stringify(index));
  writeFileSync(join(directory, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
  return layers.map((layer) => ({ ...layer, path: linked.get(layer.digest) ?? layer.path }));
}

/**
 * The directory of a layout's blobs, made if it is not there.
 * @param {string} directory
 */
export function blobDirectory(directory) {
  const blobs = join(directory, "blobs", "sha256");
  mkdirSync(blobs, { recursive: true });
  return blobs;
}

/**
 * @param {string} blobs
 * @param {{ mediaType: string, document: object }} part
 */
function addDocument(blobs, { mediaType, document }) {
  const bytes = Buffer.from(JSON.stringify(document));
  const hex = createHash("sha256").update(bytes).digest("hex");
  writeFileSync(join(blobs, hex), bytes);
  return { mediaType, digest: `sha256:${hex}`, size: bytes.length };
}

/** @param {string} digest */
function hexOf(digest) {
  return digest.slice(digest.indexOf(":") + 1);
}
