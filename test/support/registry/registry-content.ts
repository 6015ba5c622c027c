import * as v from "valibot";
import { type Digest, digestOf } from "../../../src/oci/digest.js";
import type { FileSet } from "../file-set.js";
import { configDocument, json } from "../image-parts.js";
import { directory, file, packLayer } from "../layers.js";
import {
  blobName,
  configType,
  type DescriptorJson,
  LayoutBuilder,
  layerType,
  manifestType,
} from "../oci-layout.js";
import { randomNumbers } from "../random-numbers.js";

/** What a registry holds: one repository's blobs and tags. */
export interface RegistryContent {
  readonly repository: string;
  /** Named as in an OCI layout; manifests are among them. */
  readonly files: FileSet;
  /** Descriptors of manifests and indexes. */
  readonly tags: Readonly<Record<string, DescriptorJson>>;
}

/** The repository that a registry of {@link contentOf} has. */
export const servedRepository = "odd/image";

/** An image under the tag `latest`, and what it is made of. */
export interface ServedImage extends RegistryContent {
  readonly manifest: DescriptorJson;
  readonly config: DescriptorJson;
  /** The base layer first. The first is small, the second as large as was asked for. */
  readonly layers: readonly DescriptorJson[];
}

export interface ServedImageOptions {
  /** Bytes of the second layer's one file, which can't be compressed; 300,000 unless given. */
  readonly size?: number;
  /** `linux/<this machine's>` unless given. */
  readonly architecture?: string;
  /** Makes an image whose second layer no other has. */
  readonly mark?: string;
  /** Added to the descriptors of the layers. */
  readonly layerDetails?: (digest: string) => Readonly<Record<string, unknown>>;
}

/** An image of two layers for this machine, whose files are `etc/base` and `data/noise`. */
export function servedImage(options: ServedImageOptions = {}): ServedImage {
  const { size = 300_000, architecture = hostArchitecture, mark = "" } = options;
  const builder = new LayoutBuilder();
  const tars = [
    packLayer([directory("etc"), file("etc/base", "the base\n")]),
    packLayer([directory("data"), file("data/mark", mark), file("data/noise", noise(size))]),
  ];
  const layers = tars.map((tar) => {
    const descriptor = builder.blob(tar, layerType);
    return { ...descriptor, ...options.layerDetails?.(descriptor.digest) };
  });
  const config = builder.blob(configDocument({ layers: tars, architecture }), configType);
  const manifest = builder.blob(
    json({ schemaVersion: 2, mediaType: manifestType, config, layers }),
    manifestType,
  );
  const { files } = builder;
  return { ...contentOf(files, { latest: manifest }), manifest, config, layers };
}

/** A registry's content from the files of a {@link LayoutBuilder}. */
export function contentOf(
  files: FileSet,
  tags: Readonly<Record<string, DescriptorJson>>,
): RegistryContent {
  return { repository: servedRepository, files, tags };
}

/** The content with a document of any kind in place of what the tag `latest` names. */
export function retagged(
  content: RegistryContent,
  document: { readonly bytes: Buffer; readonly mediaType: string },
): RegistryContent & { readonly manifest: DescriptorJson } {
  const { bytes, mediaType } = document;
  const digest = digestOf(bytes);
  const manifest = { mediaType, digest, size: bytes.length };
  const files = new Map(content.files).set(blobName(digest), bytes);
  return { ...content, files, tags: { ...content.tags, latest: manifest }, manifest };
}

/** A blob or manifest of the content. */
export function bytesIn(content: RegistryContent, digest: string): Buffer | undefined {
  const bytes = content.files.get(blobName(digest));
  return Buffer.isBuffer(bytes) ? bytes : undefined;
}

const documentSchema = v.looseObject({ mediaType: v.optional(v.string()) });

/** The type that a manifest states of itself; undefined for what is no document. */
export function statedType(bytes: Buffer): string | undefined {
  try {
    return v.parse(documentSchema, JSON.parse(bytes.toString())).mediaType;
  } catch {
    return undefined;
  }
}

export const hostArchitecture: string = process.arch === "x64" ? "amd64" : process.arch;

/** Another architecture than this machine's. */
export const foreignArchitecture: string = hostArchitecture === "s390x" ? "amd64" : "s390x";

/** The digest of a content that nobody has. */
export const unknownDigest: Digest = digestOf(Buffer.from("nobody has this"));

function noise(size: number): Buffer {
  const random = randomNumbers(size);
  return Buffer.from(Uint8Array.from({ length: size }, () => Math.floor(random() * 256)));
}
