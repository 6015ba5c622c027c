import { statSync } from "node:fs";
import { join } from "node:path";
import { rememberTag } from "../../cache/index/remember-tag.js";
import { prepareCache } from "../../cache/place/location.js";
import { checkTrust } from "../../cache/place/trust.js";
import { fromSystemError, StageError } from "../../errors.js";
import { printable } from "../../host/byte-string.js";
import { findHit } from "../hit.js";
import { stageMiss } from "../miss.js";
import { checkRequest, type StageOptions, type StageRequest } from "../request.js";
import type { StageResult } from "../result.js";
import { sourceIdentity, tagOf } from "../sources/known-source.js";
import { packName } from "./pack-name.js";
import { type Pack, readPack } from "./read-pack.js";

export interface FromPackOptions extends StageOptions {
  /** Where `packImage` has put the image. */
  readonly from: string;
}

/** Where an image's pack lies, or would. @throws StageError USAGE, CONFIG */
export function packPath(image: string, { from, ...options }: FromPackOptions): string {
  return join(from, packName(checkRequest(image, options)));
}

/**
 * Stages an image from its pack, as if it had been staged from where its reference says: the entry
 * has the same key, and the reference is known afterwards. Nothing is asked for over the network;
 * everything is verified again.
 * @param image the reference that the pack was made from
 * @throws StageError NOT_FOUND where there is no such pack, or one of what the reference's file was
 * before; otherwise as staging does; what `options.signal` was aborted with
 */
export async function stageFromPack(
  image: string,
  { from, ...options }: FromPackOptions,
): Promise<StageResult> {
  options.signal?.throwIfAborted();
  const asked = checkRequest(image, options);
  const path = join(from, packName(asked));
  try {
    const pack = openIfThere(path, { image, request: asked });
    const request = { ...asked, pack };
    checkFile(request, pack);
    const standing = checkTrust(request);
    if (standing !== "foreign") remember(request, pack);
    return findHit(request) ?? (await stageMiss(request));
  } catch (error) {
    throw fromSystemError(error, `stage ${printable(image)}`);
  }
}

function openIfThere(
  path: string,
  { image, request }: { image: string; request: StageRequest },
): Pack {
  if (statSync(path, { throwIfNoEntry: false })) return readPack(path, request);
  throw new StageError("NOT_FOUND", `there is no pack of ${printable(image)}: ${path}`, {
    hint: "make one with: stage-rootfs warm --pack DIR IMAGE",
  });
}

/** A file that has changed since is another image, and would be taken for this one. */
function checkFile(request: StageRequest, { note, bundle }: Pack): void {
  if (note.fileState === null) return;
  const state = sourceIdentity(request)?.identity.state;
  if (state === undefined || state === note.fileState) return;
  throw new StageError(
    "NOT_FOUND",
    `${bundle.label} holds what ${printable(request.image)} was before it changed`,
    { hint: "pack it again" },
  );
}

/** What the registry said that the tag stands for, to whoever packed. */
function remember(request: StageRequest, { note }: Pack): void {
  const { registry } = request.reference;
  if (!registry || registry.digest !== undefined || note.digest === null) return;
  prepareCache(request);
  const { digest, checkedAt } = note;
  rememberTag(request.layout, { tag: tagOf(request, registry), digest, checkedAt });
}
