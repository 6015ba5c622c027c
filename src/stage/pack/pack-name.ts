import { resolve } from "node:path";
import { hashNow } from "../../host/hash.js";
import { formatPlatform } from "../../oci/platform.js";
import type { StageRequest } from "../request.js";
import { tagOf } from "../sources/known-source.js";

/**
 * The file name of an image's pack: the same on every host for the same reference and platform, so
 * that whoever looks for an image among packs needs no list of them. It begins with words for
 * people: `debian-12-….tar`.
 */
export function packName(request: StageRequest): string {
  const { reference, platform } = request;
  const name = referenceName(request);
  const asked = JSON.stringify([name, platform ? formatPlatform(platform) : "host"]);
  const place = reference.registry ? name : reference.location;
  const last = place.replace(/\/+$/, "").replace(/^.*\//, "");
  const words = last.replace(/@.*$/, "").replace(/[^A-Za-z0-9._-]+/g, "-");
  const start = words.replace(/^[.-]+/, "").slice(0, 60);
  return `${start === "" ? "image" : start}-${hashNow("sha256", asked)}.tar`;
}

/**
 * A reference in the one spelling that stands for all that mean the same: with the registry's host,
 * with an absolute path.
 */
export function referenceName(request: StageRequest): string {
  const { reference } = request;
  if (reference.registry) return `docker://${tagOf(request, reference.registry)}`;
  return `${reference.transport}:${resolve(reference.location)}`;
}
