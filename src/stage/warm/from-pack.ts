import { StageError } from "../../errors.js";
import { findHit } from "../hit.js";
import { packRequest } from "../pack/pack-request.js";
import type { StageRequest } from "../request.js";
import type { StageResult } from "../result.js";
import { stageRequest } from "../stage-request.js";

/** A staging that goes by a pack as long as that is of use. */
export interface PackedStaging {
  /** What is looked up, and staged first. */
  readonly request: StageRequest;
  /** @throws as {@link stageRequest} */
  readonly stage: () => Promise<StageResult>;
}

/**
 * Meets a request from its pack in a directory. Where that is missing, broken or of another platform
 * the image comes from where its reference says, unless the request is to do without registries.
 * @param options.from undefined where there are no packs
 * @param options.onFallBack is told why the pack is of no use
 * @throws StageError as {@link packRequest} where nothing else is to be asked
 */
export function stagingFrom(
  request: StageRequest,
  options: { from: string | undefined; onFallBack: (error: StageError) => void },
): PackedStaging {
  const { from, onFallBack } = options;
  const plain = { request, stage: async () => await stageRequest(request) };
  if (from === undefined) return plain;
  const fallBack = (error: unknown) => {
    const isOfPack = error instanceof StageError && ofPacks.has(error.exitStatus);
    if (!isOfPack || request.options.offline || request.options.signal?.aborted) throw error;
    onFallBack(error);
  };
  try {
    const packed = packRequest(request, from);
    const stage = async () => {
      try {
        return await stageRequest(packed);
      } catch (error) {
        fallBack(error);
        return await stageRequest(request);
      }
    };
    return { request: packed, stage };
  } catch (error) {
    // What stands needs no pack.
    if (!findHit(request)) fallBack(error);
    return plain;
  }
}

/** Exit statuses of what is missing or damaged. */
const ofPacks: ReadonlySet<number> = new Set([65, 66]);
