import { StageError } from "../errors.js";
import { printable } from "../host/byte-string.js";

export type DocumentKind = "manifest" | "index";

const documentKinds: ReadonlyMap<string, DocumentKind> = new Map([
  ["application/vnd.oci.image.manifest.v1+json", "manifest"],
  ["application/vnd.docker.distribution.manifest.v2+json", "manifest"],
  ["application/vnd.oci.image.index.v1+json", "index"],
  ["application/vnd.docker.distribution.manifest.list.v2+json", "index"],
]);

const schema1 = /^application\/vnd\.docker\.distribution\.manifest\.v1\+(?:json|prettyjws)$/;

const configTypes: ReadonlySet<string> = new Set([
  "application/vnd.oci.image.config.v1+json",
  "application/vnd.docker.container.image.v1+json",
]);

const layerTypes: ReadonlySet<string> = new Set([
  "application/vnd.oci.image.layer.v1.tar",
  "application/vnd.oci.image.layer.v1.tar+gzip",
  "application/vnd.oci.image.layer.v1.tar+zstd",
  "application/vnd.oci.image.layer.nondistributable.v1.tar",
  "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
  "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd",
  "application/vnd.docker.image.rootfs.diff.tar",
  "application/vnd.docker.image.rootfs.diff.tar.gzip",
  "application/vnd.docker.image.rootfs.diff.tar.zstd",
  "application/vnd.docker.image.rootfs.foreign.diff.tar",
  "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
]);

/** What kind of document a media type names; undefined for what is neither manifest nor index. */
export function documentKindOf(mediaType: string): DocumentKind | undefined {
  return documentKinds.get(mediaType);
}

/** Whether a media type is that of a manifest or index, of whatever age. */
export function isDocumentType(mediaType: string): boolean {
  return documentKindOf(mediaType) !== undefined || isSchema1(mediaType);
}

export function isSchema1(mediaType: string): boolean {
  return schema1.test(mediaType);
}

/** @throws StageError IMAGE_UNSUPPORTED for Docker's image manifest version 2, schema 1 */
export function refuseSchema1(mediaType: string | undefined, schemaVersion: number): void {
  if (schemaVersion !== 1 && !(mediaType !== undefined && isSchema1(mediaType))) return;
  throw new StageError(
    "IMAGE_UNSUPPORTED",
    "Docker manifests of schema 1 are not supported: they do not say what the layers unpack to",
    { hint: "push or save the image again with a Docker or skopeo of this decade" },
  );
}

/** Whether a media type is that of a container image's config. */
export function isConfigType(mediaType: string): boolean {
  return configTypes.has(mediaType);
}

/** @throws StageError IMAGE_UNSUPPORTED for artifacts that are no container images */
export function checkConfigType(mediaType: string): void {
  if (isConfigType(mediaType)) return;
  throw new StageError(
    "IMAGE_UNSUPPORTED",
    `not a container image, but an artifact with a config of type ${printable(mediaType)}`,
  );
}

/** Whether a layer is one that registries need not have, since it may not be passed on. */
export function isForeignLayer(mediaType: string): boolean {
  return mediaType.includes(".nondistributable.") || mediaType.includes(".foreign.");
}

/** Media types of what an image may be asked for by, for the Accept header. */
export const documentTypes: readonly string[] = [...documentKinds.keys()];

/** @throws StageError IMAGE_UNSUPPORTED for encrypted layers and for types that are not known */
export function checkLayerType(mediaType: string): void {
  if (layerTypes.has(mediaType)) return;
  if (mediaType.endsWith("+encrypted")) {
    throw new StageError("IMAGE_UNSUPPORTED", "encrypted layers are not supported", {
      hint: "decrypt the image first, for instance with skopeo copy --decryption-key",
    });
  }
  throw new StageError("IMAGE_UNSUPPORTED", `unknown layer media type ${printable(mediaType)}`);
}
