import { type BigIntStats, existsSync, statSync } from "node:fs";
import { type FileIdentity, fileIdentity, lookUpFile } from "../cache/source-index.js";
import type { ImageSummary } from "../oci/image.js";
import { formatPlatform } from "../oci/platform.js";
import { divideLocation } from "../oci/reference.js";
import type { StageRequest } from "./request.js";
import { isImageSummary } from "./staged-image.js";

/** An archive or layout by what tells whether it has changed, and which of its images is meant. */
export interface SourceIdentity {
  readonly identity: FileIdentity;
  readonly selection: string;
  /** The archive, or the layout's directory. */
  readonly path: string;
  readonly isLayout: boolean;
}

/**
 * The identity of a reference to an archive, or to an OCI layout: of that its index.json, since all
 * else in it goes by digests. Standard input and other directories have none.
 */
export function sourceIdentity({ reference, platform }: StageRequest): SourceIdentity | undefined {
  const { transport, location } = reference;
  if (transport === "stdin") return undefined;
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
  const wanted = platform ? formatPlatform(platform) : "host";
  const selection = JSON.stringify([transport, found.choice ?? null, wanted]);
  return { identity: fileIdentity(stat), selection, path, isLayout };
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
