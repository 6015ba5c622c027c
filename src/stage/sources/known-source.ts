import { type BigIntStats, existsSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { type FileIdentity, fileIdentity, lookUpFile } from "../../cache/index/source-index.js";
import { lookUpTag } from "../../cache/index/tag-index.js";
import { type Digest, isDigest } from "../../oci/digest.js";
import type { ImageSummary } from "../../oci/image.js";
import { formatPlatform } from "../../oci/platform.js";
import { divideLocation } from "../../oci/reference.js";
import {
  formatRegistryReference,
  namesHost,
  type RegistryReference,
} from "../../oci/registry/repository.js";
import type { StageRequest } from "../request.js";
import { type ImageSource, isImageSummary } from "../staged-image.js";

/** Where an image comes from, by what tells whether it has changed, and which image is meant. */
export interface SourceIdentity {
  readonly kind: "archive" | "layout" | "registry";
  readonly identity: FileIdentity;
  readonly selection: string;
  /** The archive, the layout's directory, or the reference to a registry. */
  readonly path: string;
  /** Of an image of a registry: what its manifest or index is known by. */
  readonly digest?: Digest;
}

/**
 * The identity of a reference to an archive, to an OCI layout (that of its index.json, since all
 * else in it goes by digests), or to an image of a registry by its digest. A tag has that of the
 * digest it stands for, where nobody wants it looked up again or a pack says it. Standard input and other directories
 * have none.
 */
export function sourceIdentity(request: StageRequest): SourceIdentity | undefined {
  const { transport, location, registry } = request.reference;
  if (transport === "stdin") return undefined;
  if (registry) return knownRegistrySource(request, registry);
  const found = divideLocation(location, existsSync);
  if (!found) return undefined;
  const { path } = found;
  let stat = statIfAny(path);
  const isLayout = stat?.isDirectory() ?? false;
  if (isLayout) {
    // A directory may be two kinds of images at once.
    if (transport !== "oci" && existsSync(`${path}/manifest.json`)) return undefined;
    stat = existsSync(`${path}/oci-layout`) ? statIfAny(`${path}/index.json`) : undefined;
  }
  if (!stat?.isFile()) return undefined;
  const selection = JSON.stringify([transport, found.choice ?? null, platformOf(request)]);
  const kind = isLayout ? "layout" : "archive";
  return { kind, identity: fileIdentity(stat), selection, path };
}

/** An image of a registry by the digest of its manifest or index: the same in every registry. */
export function registrySource(request: StageRequest, digest: Digest): SourceIdentity {
  return {
    kind: "registry",
    identity: { name: `manifest-${digest.replace(":", "-")}`, state: "" },
    selection: platformOf(request),
    path: request.image,
    digest,
  };
}

/** Where an image is staged from, to be kept with its entry. */
export function imageSource(request: StageRequest, summary: ImageSummary): ImageSource {
  const { image, reference } = request;
  const { manifestDigest: digest } = summary;
  if (reference.registry) return { reference: image, kind: "registry", path: null, digest };
  const source = sourceIdentity(request);
  if (!source) return { reference: image, kind: "other", path: null, digest };
  return { reference: image, kind: source.kind, path: resolve(source.path), digest };
}

function knownRegistrySource(
  request: StageRequest,
  registry: RegistryReference,
): SourceIdentity | undefined {
  const digest = registry.digest ?? request.pack?.note.digest ?? undefined;
  if (digest !== undefined) return registrySource(request, digest);
  const record = lookUpTag(request.layout, tagOf(request, registry));
  if (!record || !isDigest(record.digest)) return undefined;
  const { offline = false, maxStaleness = 0 } = request.options;
  const age = Date.now() - record.checkedAt;
  // A record from the future tells of a clock that was set.
  const isFresh = age >= 0 && age < maxStaleness * 1000;
  return offline || isFresh ? registrySource(request, record.digest) : undefined;
}

/** What a tag's record goes by; a short name may mean something else than the same name in full. */
export function tagOf({ reference, options }: StageRequest, registry: RegistryReference): string {
  const text = reference.location.slice("//".length);
  const isShort = options.registry?.shortNames === true && !namesHost(text);
  return `${isShort ? "short:" : ""}${formatRegistryReference(registry)}`;
}

function platformOf({ platform }: StageRequest): string {
  return platform ? formatPlatform(platform) : "host";
}

function statIfAny(path: string): BigIntStats | undefined {
  return statSync(path, { bigint: true, throwIfNoEntry: false });
}

/** What the cache knows of the image that a reference names, without a look into the archive. */
export function lookUpSource(
  request: StageRequest,
  source: SourceIdentity | undefined,
): ImageSummary | undefined {
  if (!source) return undefined;
  return lookUpFile(request.layout, { ...source, isKnown: isImageSummary });
}

/** The lock of the process that goes ahead of others that want the same source. */
export function forerunnerLock({ layout }: StageRequest, { identity }: SourceIdentity): string {
  return layout.lock(`ahead-${identity.name}`);
}
