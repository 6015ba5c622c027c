import { StageError, within } from "../../errors.js";
import { printable } from "../../host/byte-string.js";
import { chooseByPlatform, imagesAmong, nestingLimit } from "../choose-manifest.js";
import { parseConfig } from "../config.js";
import type { Digest } from "../digest.js";
import type { Image, RemoteLayer } from "../image.js";
import { type Manifest, parseIndex, parseManifest, withDiffIds } from "../manifest.js";
import { documentKindOf, isForeignLayer } from "../media-types.js";
import { formatPlatform, type Platform } from "../platform.js";
import type { Registry, RegistryDocument } from "../registry/registry.js";

/** What has the documents of images: a registry, or what was fetched from one. */
export type DocumentSource = Pick<Registry, "label" | "manifest" | "document">;

export interface RegistryImageOptions {
  /** A digest or a tag. */
  readonly reference: string;
  /** Undefined for the host's, and then anything will do where there is only one. */
  readonly platform: Platform | undefined;
  /** Whether layers are taken from where they say they are, if not from the registry. */
  readonly allowForeignLayers: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** An image of a registry, whose layers are yet to be fetched. */
export interface RegistryImage extends Image<RemoteLayer> {
  /** Digest of what the reference means: the index, where there is one. */
  readonly referenceDigest: Digest;
}

/**
 * The image that a reference of a registry means: its manifest and config, fetched and verified.
 * @throws StageError NOT_FOUND, REGISTRY, AUTH, IMAGE_INVALID, IMAGE_UNSUPPORTED, DIGEST_MISMATCH
 */
export async function readRegistryImage(
  registry: DocumentSource,
  options: RegistryImageOptions,
): Promise<RegistryImage> {
  const { reference, platform, signal } = options;
  const entry = await registry.manifest(reference, signal);
  try {
    const chain = await documentsTo(registry, { entry, platform, signal });
    const found = chain.at(-1) ?? entry;
    const what = `the manifest ${found.digest}`;
    const manifest = parseManifest(found.bytes, what);
    checkForeign(manifest, options);
    const configBytes = await registry.document(manifest.config, signal);
    const config = parseConfig(configBytes, "the config");
    const layers = withDiffIds(manifest, { diffIds: config.diffIds, name: "the manifest" });
    return {
      referenceDigest: entry.digest,
      imageId: config.imageId,
      manifestDigest: found.digest,
      platform: formatPlatform(config.platform),
      config: config.runtime,
      layers: layers.map(({ diffId, digest, size, urls }) => ({ diffId, digest, size, urls })),
      documents: { config: configBytes, chain },
    };
  } catch (error) {
    throw within(registry.label, error);
  }
}

/** A document, and those that it leads to; the last one is the manifest for a platform. */
async function documentsTo(
  registry: DocumentSource,
  from: {
    entry: RegistryDocument;
    platform: Platform | undefined;
    signal: AbortSignal | undefined;
  },
): Promise<readonly RegistryDocument[]> {
  const { platform: wanted, signal } = from;
  let document = from.entry;
  const chain = [document];
  for (let depth = 0; kindOf(document) === "index"; depth++) {
    if (depth >= nestingLimit) {
      throw new StageError("IMAGE_INVALID", `its indexes nest more than ${nestingLimit} deep`);
    }
    const index = parseIndex(document.bytes, `the index ${document.digest}`);
    const images = imagesAmong(index.manifests);
    const chosen = chooseByPlatform(images, { label: registry.label, wanted, loneFits: false });
    document = { ...(await registry.manifest(chosen.digest, signal)), mediaType: chosen.mediaType };
    chain.push(document);
  }
  return chain;
}

/**
 * What a document is, as it says itself; the registry's word counts where it says nothing, and must
 * not be another (CVE-2021-41190).
 */
function kindOf({ bytes, mediaType, digest }: RegistryDocument): "manifest" | "index" | undefined {
  const stated = statedType(bytes) ?? mediaType;
  if (documentKindOf(mediaType) === undefined || stated === mediaType)
    return documentKindOf(stated);
  throw new StageError(
    "IMAGE_INVALID",
    `${digest} is of the type ${printable(stated)}, but the registry says ${mediaType}`,
  );
}

function statedType(bytes: Buffer): string | undefined {
  try {
    const document: unknown = JSON.parse(bytes.toString("utf8"));
    if (typeof document !== "object" || document === null) return undefined;
    if ("mediaType" in document && typeof document.mediaType === "string") {
      return document.mediaType;
    }
    return "manifests" in document ? "application/vnd.oci.image.index.v1+json" : undefined;
  } catch {
    // The parser of manifests says so in full.
    return undefined;
  }
}

function checkForeign({ layers }: Manifest, { allowForeignLayers }: RegistryImageOptions): void {
  const foreign = layers.find(
    ({ mediaType, urls }) => isForeignLayer(mediaType) || urls.length > 0,
  );
  if (!foreign || allowForeignLayers) return;
  throw new StageError(
    "IMAGE_UNSUPPORTED",
    `the layer ${foreign.digest} is not the registry's, but is to be had from ${printable(foreign.urls[0] ?? "elsewhere")}`,
    { hint: "if the image can be trusted, give --allow-foreign-layers" },
  );
}
