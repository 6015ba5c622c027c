import { prepareCache } from "../../cache/place/location.js";
import { claimForNode } from "../../cache/place/node-claims.js";
import { StageError } from "../../errors.js";
import type { RequestOptions } from "../request.js";

/** The variable by which a run over many nodes tells each which run it is. */
const runVariable = "STAGE_ROOTFS_WARM_RUN";

/**
 * Other nodes of the same run that have this very cache directory: it lies on a disk that they
 * share. None where this is no run over many nodes.
 */
export function sharingNodes(
  request: RequestOptions,
  { node }: { readonly node: string },
): readonly string[] {
  const run = process.env[runVariable];
  if (!run) return [];
  try {
    prepareCache(request);
    return claimForNode(request.layout, { run, node });
  } catch (error) {
    if (!(error instanceof StageError)) throw error;
    // A cache that can't be written to is refused by the first image that needs it.
    return [];
  }
}
