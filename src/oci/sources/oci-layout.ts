import * as v from "valibot";
import { StageError, within } from "../../errors.js";
import { printable } from "../../host/byte-string.js";
import type { Span } from "../../host/span.js";
import { type Bundle, findMember, readDocument } from "../bundle/bundle.js";
import { chooseByPlatform, imagesAmong, nestingLimit } from "../choose-manifest.js";
import { parseConfig } from "../config.js";
import type { Descriptor } from "../descriptor.js";
import { checkDigest, type Digest, digestOf, splitDigest } from "../digest.js";
import { parseDocument } from "../document.js";
import type { Image } from "../image.js";
import { parseIndex, parseManifest, withDiffIds } from "../manifest.js";
import { documentKindOf } from "../media-types.js";
import { formatPlatform, type Platform } from "../platform.js";
import { chooseByName } from "./choose.js";

export const layoutFileName = "oci-layout";
export const layoutIndexName = "index.json";

const layoutSchema = v.object({ imageLayoutVersion: v.string() });

export interface LayoutChoice {
  /** The image's name in the layout, or `@N`; undefined for the only one. */
  readonly choice: string | undefined;
  /** Undefined for the host's, and then anything will do where there is only one. */
  readonly platform: Platform | undefined;
}

/**
 * The image in an OCI image layout, as directory or archive (image-spec, image-layout.md).
 * @throws StageError IMAGE_INVALID, IMAGE_UNSUPPORTED, DIGEST_MISMATCH, NOT_FOUND,
 * REFERENCE_AMBIGUOUS
 */
export function readOciLayout(bundle: Bundle, options: LayoutChoice): Image {
  checkLayoutVersion(bundle);
  const manifest = chooseManifest(bundle, options);
  return readImage(bundle, manifest);
}

function checkLayoutVersion(bundle: Bundle): void {
  const what = `${layoutFileName} in ${bundle.label}`;
  const bytes = readDocument(bundle, layoutFileName);
  const { imageLayoutVersion } = parseDocument(bytes, { schema: layoutSchema, what });
  if (imageLayoutVersion.startsWith("1.")) return;
  throw new StageError(
    "IMAGE_UNSUPPORTED",
    `${what}: layouts of version ${printable(imageLayoutVersion)} are not supported`,
  );
}

function chooseManifest(bundle: Bundle, options: LayoutChoice): Descriptor {
  const what = `${layoutIndexName} in ${bundle.label}`;
  const index = parseIndex(readDocument(bundle, layoutIndexName), what);
  const candidates = imagesAmong(index.manifests).map((descriptor) => ({
    value: descriptor,
    identity: descriptor.digest,
    names: namesOf(descriptor),
    platform: descriptor.platform && formatPlatform(descriptor.platform),
  }));
  const entries = chooseByName(candidates, { label: bundle.label, choice: options.choice });
  const seen = new Set<Digest>();
  const manifests = entries.flatMap((entry) => manifestsBelow(bundle, { entry, depth: 1, seen }));
  return chooseByPlatform(manifests, {
    label: bundle.label,
    wanted: options.platform,
    loneFits: true,
  });
}

function namesOf({ annotations }: Descriptor): readonly string[] {
  const names = [
    annotations["org.opencontainers.image.ref.name"],
    annotations["io.containerd.image.name"],
  ];
  return names.filter((name) => name !== undefined);
}

function manifestsBelow(
  bundle: Bundle,
  at: { entry: Descriptor; depth: number; seen: Set<Digest> },
): readonly Descriptor[] {
  const { entry, depth, seen } = at;
  if (documentKindOf(entry.mediaType) === "manifest") return [entry];
  // Indexes that name one another many times over would take for ever.
  if (seen.has(entry.digest)) return [];
  seen.add(entry.digest);
  if (depth > nestingLimit) {
    throw new StageError(
      "IMAGE_INVALID",
      `${bundle.label}: its indexes nest more than ${nestingLimit} deep`,
    );
  }
  const index = parseIndex(readBlob(bundle, entry), blobLabel(bundle, entry));
  return imagesAmong(index.manifests).flatMap((below) => {
    return manifestsBelow(bundle, { entry: below, depth: depth + 1, seen });
  });
}

function readImage(bundle: Bundle, descriptor: Descriptor): Image {
  const bytes = readBlob(bundle, descriptor);
  const manifest = parseManifest(bytes, blobLabel(bundle, descriptor));
  const what = blobLabel(bundle, manifest.config);
  const configBytes = readBlob(bundle, manifest.config);
  const config = parseConfig(configBytes, what);
  const name = `${bundle.label}: the manifest`;
  const layers = withDiffIds(manifest, { diffIds: config.diffIds, name });
  return {
    imageId: config.imageId,
    manifestDigest: descriptor.digest,
    platform: formatPlatform(config.platform),
    config: config.runtime,
    layers: layers.map((layer) => {
      const { diffId, digest, size } = layer;
      return { diffId, digest, size, span: findBlob(bundle, layer) };
    }),
    documents: {
      config: configBytes,
      chain: [{ bytes, digest: descriptor.digest, mediaType: descriptor.mediaType }],
    },
  };
}

function findBlob(bundle: Bundle, descriptor: Descriptor): Span {
  const { algorithm, hex } = splitDigest(descriptor.digest);
  const span = findMember(bundle, `blobs/${algorithm}/${hex}`);
  if (span.size === descriptor.size) return span;
  throw new StageError(
    "IMAGE_INVALID",
    `${blobLabel(bundle, descriptor)} has ${span.size} bytes, but should have ${descriptor.size}`,
    { hint: "the image is damaged: fetch or copy it again" },
  );
}

function readBlob(bundle: Bundle, descriptor: Descriptor): Buffer {
  findBlob(bundle, descriptor);
  const { algorithm, hex } = splitDigest(descriptor.digest);
  const what = blobLabel(bundle, descriptor);
  try {
    const bytes = readDocument(bundle, `blobs/${algorithm}/${hex}`);
    const actual = digestOf(bytes, descriptor.digest);
    checkDigest("a document", { expected: descriptor.digest, actual });
    return bytes;
  } catch (error) {
    throw within(what, error);
  }
}

function blobLabel(bundle: Bundle, { digest }: Descriptor): string {
  return `${digest} in ${bundle.label}`;
}
