import { checkRequest, type StageOptions } from "./stage/request.js";
import type { StageResult } from "./stage/result.js";
import { stageRequest } from "./stage/stage-request.js";

/**
 * Makes sure that an image stands unpacked in the cache, with the mount points that are asked for.
 * @param image a reference, as on the command line
 * @throws StageError with any code but SANDBOX; what `options.signal` was aborted with
 */
export async function stageRootfs(image: string, options: StageOptions = {}): Promise<StageResult> {
  options.signal?.throwIfAborted();
  return await stageRequest(checkRequest(image, options));
}
