import { existsSync, statSync } from "node:fs";
import { type FileIdentity, fileIdentity, lookUpFile } from "../cache/source-index.js";
import type { ImageSummary } from "../oci/image.js";
import { formatPlatform } from "../oci/platform.js";
import { divideLocation } from "../oci/reference.js";
import type { StageRequest } from "./request.js";
import { isImageSummary } from "./staged-image.js";

/** An archive by what tells whether it has changed, and which of its images is meant. */
export interface SourceIdentity {
  readonly identity: FileIdentity;
  readonly selection: string;
  readonly path: string;
}

/**
 * The identity of a reference to an archive. What is not one file, a layout in a directory or
 * standard input, has none.
 */
export function sourceIdentity({ reference, platform }: StageRequest): SourceIdentity | undefined {
  const { transport, location } = reference;
  if (transport === "stdin" || transport === "oci") return undefined;
  const found = divideLocation(location, existsSync);
  if (!found) return undefined;
  const stat = statSync(found.path, { bigint: true, throwIfNoEntry: false });
  if (!stat?.isFile()) return undefined;
  const wanted = platform ? formatPlatform(platform) : "host";
  const selection = JSON.stringify([transport, found.choice ?? null, wanted]);
  return { identity: fileIdentity(stat), selection, path: found.path };
}

/** What the cache knows of the image that a reference names, without a look into the archive. */
export function lookUpSource(
  request: StageRequest,
  source: SourceIdentity | undefined,
): ImageSummary | undefined {
  if (!source) return undefined;
  return lookUpFile(request.layout, { ...source, isKnown: isImageSummary });
}
