import { StageError, within } from "../../errors.js";
import { printable } from "../../host/byte-string.js";
import { type Bundle, findMember, readDocument } from "../../oci/bundle/bundle.js";
import { openTarFile } from "../../oci/bundle/tar-file.js";
import { checkDigest, digestOf, isDigest } from "../../oci/digest.js";
import { parseDocument } from "../../oci/document.js";
import type { Image, Layer } from "../../oci/image.js";
import type { RegistryDocument } from "../../oci/registry/registry.js";
import type { RegistryReference } from "../../oci/registry/repository.js";
import { readOciLayout } from "../../oci/sources/oci-layout.js";
import { type DocumentSource, readRegistryImage } from "../../oci/sources/registry.js";
import type { StageRequest } from "../request.js";
import { blobName } from "./archive-writer.js";
import { noteName, noteSchema, type PackNote } from "./note.js";
import { referenceName } from "./pack-name.js";

/** A pack that was opened. What it holds is yet to be verified. */
export interface Pack {
  readonly path: string;
  readonly note: PackNote;
  readonly bundle: Bundle;
}

/**
 * Opens the pack of a request's image.
 * @throws StageError NOT_FOUND where there is none, or one of another image; IMAGE_INVALID, PERMISSION
 */
export function readPack(path: string, request: StageRequest): Pack {
  const bundle = openTarFile(path, request.limits);
  const what = `${noteName} in ${bundle.label}`;
  const note = parseDocument(readDocument(bundle, noteName), { schema: noteSchema, what });
  const asked = referenceName(request);
  if (note.reference !== asked) {
    throw new StageError(
      "NOT_FOUND",
      `${bundle.label} holds ${printable(note.reference)}, not ${printable(asked)}`,
    );
  }
  checkNote(what, { note, registry: request.reference.registry });
  return { path, note, bundle };
}

/** What the cache remembers of a digest has to be that digest's image. */
function checkNote(
  what: string,
  { note, registry }: { note: PackNote; registry: RegistryReference | undefined },
): void {
  const hasDigest = note.digest !== null;
  if (registry === undefined ? hasDigest : !hasDigest) {
    const verb = hasDigest ? "states a" : "lacks the";
    throw new StageError("IMAGE_INVALID", `${what} ${verb} registry's digest`, {
      hint: "pack the image again",
    });
  }
  if (registry?.digest === undefined || note.digest === null) return;
  checkDigest(what, { expected: registry.digest, actual: note.digest });
}

/**
 * The image of a pack as its source would have given it: its documents are verified, also that a
 * registry's digest leads to them, and its layers are yet to be read.
 * @throws StageError IMAGE_INVALID, IMAGE_UNSUPPORTED, DIGEST_MISMATCH, NOT_FOUND for another platform
 */
export async function openPackedImage(pack: Pack, request: StageRequest): Promise<Image> {
  const { note, bundle } = pack;
  if (note.digest === null) return withoutRegistry(pack, request);
  const { options, platform } = request;
  const image = await readRegistryImage(documentsOf(pack), {
    reference: note.digest,
    platform,
    allowForeignLayers: options.registry?.allowForeignLayers ?? false,
    signal: options.signal,
  });
  const layers = image.layers.map(({ diffId, digest, size }): Layer => {
    const span = findMember(bundle, blobName(digest));
    if (span.size === size) return { diffId, digest, size, span };
    throw new StageError(
      "IMAGE_INVALID",
      `${digest} in ${bundle.label} has ${span.size} bytes, but should have ${size}`,
    );
  });
  return { ...image, layers };
}

function withoutRegistry({ note, bundle }: Pack, { platform }: StageRequest): Image {
  const image = readOciLayout(bundle, { choice: undefined, platform });
  if (note.hasManifest) return image;
  const layers = image.layers.map((layer, i) => {
    return { ...layer, digest: note.layerDigests[i] ?? null };
  });
  const documents = { ...image.documents, chain: [] };
  return { ...image, manifestDigest: null, layers, documents };
}

/** What a registry would answer, as far as the pack has it. */
function documentsOf({ note, bundle }: Pack): DocumentSource {
  const indexes = note.indexes.map(({ mediaType, data }) => {
    return { bytes: Buffer.from(data, "base64"), mediaType };
  });
  const stored = (name: string) => {
    const missing = new StageError("NOT_FOUND", `${bundle.label} does not have ${name}`, {
      hint: "it may have been packed for another platform: pack it with --platform",
    });
    if (!isDigest(name) || !bundle.find(blobName(name))) throw missing;
    const bytes = readDocument(bundle, blobName(name));
    checkDigest(`${name} in ${bundle.label}`, { expected: name, actual: digestOf(bytes, name) });
    return bytes;
  };
  return {
    label: bundle.label,
    manifest: async (reference): Promise<RegistryDocument> => {
      for (const { bytes, mediaType } of indexes) {
        if (!isDigest(reference)) break;
        const digest = digestOf(bytes, reference);
        if (digest === reference) return { bytes, digest, mediaType };
      }
      const bytes = stored(reference);
      return {
        bytes,
        digest: digestOf(bytes, isDigest(reference) ? reference : undefined),
        mediaType: "",
      };
    },
    document: async ({ digest }) => {
      try {
        return stored(digest);
      } catch (error) {
        throw within("the config", error);
      }
    },
  };
}
