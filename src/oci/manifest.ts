import * as v from "valibot";
import { StageError } from "../errors.js";
import { type Descriptor, descriptorSchema } from "./descriptor.js";
import type { Digest } from "./digest.js";
import { parseDocument } from "./document.js";
import {
  checkConfigType,
  checkLayerType,
  documentKindOf,
  isDocumentType,
  refuseSchema1,
} from "./media-types.js";

/** An image manifest (image-spec, manifest.md; Docker's image manifest version 2, schema 2). */
export interface Manifest {
  readonly config: Descriptor;
  /** The base layer first. */
  readonly layers: readonly Descriptor[];
}

/** An image index (image-spec, image-index.md) or Docker's manifest list. */
export interface Index {
  readonly manifests: readonly Descriptor[];
}

const headSchema = v.object({
  schemaVersion: v.number(),
  mediaType: v.nullish(v.string()),
  config: v.optional(v.unknown()),
  layers: v.optional(v.unknown()),
  manifests: v.optional(v.unknown()),
});

const manifestSchema = v.object({
  config: descriptorSchema,
  layers: v.nullable(v.array(descriptorSchema), []),
});

/** Entries of types that mean nothing here are left out before anything else of them is read. */
const indexSchema = v.object({
  manifests: v.pipe(
    v.array(v.looseObject({ mediaType: v.string() })),
    v.transform((entries): unknown => entries.filter((entry) => isDocumentType(entry.mediaType))),
    v.array(descriptorSchema),
  ),
});

/**
 * Parses an image manifest and checks that it is one of a container image that can be staged.
 * @throws StageError IMAGE_INVALID, IMAGE_UNSUPPORTED
 */
export function parseManifest(bytes: Buffer, what: string): Manifest {
  checkHead(bytes, { what, kind: "manifest" });
  const { config, layers } = parseDocument(bytes, { schema: manifestSchema, what });
  checkConfigType(config.mediaType);
  for (const layer of layers) checkLayerType(layer.mediaType);
  return { config, layers };
}

/**
 * A manifest's layers, each with the diffID that the config names for it.
 * @param options.name the manifest's, for the message
 * @throws StageError IMAGE_INVALID where the config names another number of them
 */
export function withDiffIds(
  { layers }: Manifest,
  { diffIds, name }: { diffIds: readonly Digest[]; name: string },
): readonly (Descriptor & { readonly diffId: Digest })[] {
  if (diffIds.length !== layers.length) {
    throw new StageError(
      "IMAGE_INVALID",
      `${name} has ${layers.length} layers, but the config names ${diffIds.length}`,
    );
  }
  return layers.flatMap((layer, i) => {
    const diffId = diffIds[i];
    return diffId === undefined ? [] : [{ ...layer, diffId }];
  });
}

/** @throws StageError IMAGE_INVALID, IMAGE_UNSUPPORTED */
export function parseIndex(bytes: Buffer, what: string): Index {
  checkHead(bytes, { what, kind: "index" });
  return parseDocument(bytes, { schema: indexSchema, what });
}

/**
 * A document that could be read as a manifest and as an index is refused (CVE-2021-41190): two
 * readers could take two images from one digest.
 */
function checkHead(bytes: Buffer, expected: { what: string; kind: "manifest" | "index" }): void {
  const { what, kind } = expected;
  const head = parseDocument(bytes, { schema: headSchema, what });
  const mediaType = head.mediaType ?? undefined;
  refuseSchema1(mediaType, head.schemaVersion);
  if (head.schemaVersion !== 2) {
    throw new StageError(
      "IMAGE_UNSUPPORTED",
      `${what}: schemaVersion ${head.schemaVersion} is not supported`,
    );
  }
  const stated = mediaType === undefined ? kind : documentKindOf(mediaType);
  const hasLayers = head.config !== undefined || head.layers !== undefined;
  const isOther = kind === "manifest" ? head.manifests !== undefined : hasLayers;
  if (stated !== kind || isOther) {
    throw new StageError("IMAGE_INVALID", `${what} is not the ${kind} it is said to be`);
  }
}
