import { statSync } from "node:fs";
import { join } from "node:path";
import { rememberTag } from "../../cache/index/remember-tag.js";
import { prepareCache } from "../../cache/place/location.js";
import { checkTrust } from "../../cache/place/trust.js";
import { StageError } from "../../errors.js";
import { printable } from "../../host/byte-string.js";
import type { StageRequest } from "../request.js";
import { sourceIdentity, tagOf } from "../sources/known-source.js";
import { packName } from "./pack-name.js";
import { type Pack, readPack } from "./read-pack.js";

/**
 * The same request, to be met from the image's pack in a directory, as if it were met from where the
 * reference says: the entry gets the same key, and the reference is known afterwards. Nothing is
 * asked for over the network; everything is verified again.
 * @throws StageError NOT_FOUND where there is no such pack, or one of what the reference's file was
 * before; IMAGE_INVALID, DIGEST_MISMATCH for a broken one; PERMISSION, NO_SPACE, NOT_WRITABLE
 */
export function packRequest(request: StageRequest, directory: string): StageRequest {
  const path = join(directory, packName(request));
  if (!statSync(path, { throwIfNoEntry: false })) throw noPack(path, request);
  const pack = readPack(path, request);
  const packed = { ...request, pack };
  checkFile(packed, pack);
  if (checkTrust(packed) !== "foreign") remember(packed, pack);
  return packed;
}

function noPack(path: string, { image }: StageRequest): StageError {
  return new StageError(
    "NOT_FOUND",
    `there is no pack of ${printable(image)}: ${printable(path)}`,
    {
      hint: "make one with: stage-rootfs warm --pack DIR IMAGE",
    },
  );
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
