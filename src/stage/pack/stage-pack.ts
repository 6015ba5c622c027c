import { checkRequest, type StageOptions } from "../request.js";
import type { StageResult } from "../result.js";
import { stageRequest } from "../stage-request.js";
import { packRequest } from "./pack-request.js";

export interface FromPackOptions extends StageOptions {
  /** The directory that `packImage` has put the image into. */
  readonly from: string;
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
  return await stageRequest(packRequest(checkRequest(image, options), from));
}
