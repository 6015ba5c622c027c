import { StageError } from "../errors.js";
import { printable } from "../host/byte-string.js";
import type { Descriptor } from "./descriptor.js";
import { documentKindOf, isConfigType, refuseSchema1 } from "./media-types.js";
import {
  formatPlatform,
  hostPlatform,
  type Platform,
  platformsAgree,
  variantsEqual,
} from "./platform.js";

/** How deep indexes may nest. */
export const nestingLimit = 8;

/**
 * The manifests and indexes of images.
 * @throws StageError IMAGE_UNSUPPORTED where all there is are images of schema 1
 */
export function imagesAmong(manifests: readonly Descriptor[]): readonly Descriptor[] {
  const images = manifests.filter(isImage);
  if (images.length === 0) for (const { mediaType } of manifests) refuseSchema1(mediaType, 2);
  return images;
}

/** Manifests of signatures and attestations are kept beside those of images, and are none. */
function isImage({ mediaType, annotations, platform, artifactType }: Descriptor): boolean {
  if (documentKindOf(mediaType) === undefined) return false;
  if (artifactType !== undefined && !isConfigType(artifactType)) return false;
  if (annotations["vnd.docker.reference.type"] === "attestation-manifest") return false;
  return !(platform?.os === "unknown" && platform.architecture === "unknown");
}

/**
 * The manifest of a platform.
 * @param options.wanted undefined for the host's
 * @param options.loneFits whether a lone manifest will do, whatever platform it is said to be for
 * @throws StageError NOT_FOUND, which lists what there is
 */
export function chooseByPlatform(
  manifests: readonly Descriptor[],
  options: { label: string; wanted: Platform | undefined; loneFits: boolean },
): Descriptor {
  const { label, wanted, loneFits } = options;
  const distinct = [...new Map(manifests.map((m) => [m.digest, m])).values()];
  const [first] = distinct;
  if (!first) throw new StageError("IMAGE_INVALID", `${label} holds no image`);
  if (distinct.length === 1 && (loneFits || !first.platform)) return first;
  const platform = wanted ?? hostPlatform();
  const fitting = distinct.filter((m) => m.platform && platformsAgree(platform, m.platform));
  // This machine may not run amd64/v3, so that what fits without doubt goes first.
  const exact = fitting.find((m) => m.platform && variantsEqual(platform, m.platform));
  const found = exact ?? fitting[0];
  if (found) return found;
  const offered = distinct.map((m) => (m.platform ? formatPlatform(m.platform) : "unnamed"));
  throw new StageError("NOT_FOUND", `${label} holds no image for ${formatPlatform(platform)}`, {
    hint: `choose with --platform; it holds ${offered.map(printable).join(", ")}`,
  });
}
