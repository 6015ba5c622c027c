import type { Amount } from "../cache/amount.js";
import { keysInUse } from "../cache/keys-in-use.js";
import { pathsInUse } from "../host/paths-in-use.js";
import { underLock } from "./collect-garbage.js";
import { GcRun } from "./gc-run.js";
import type { StageRequest } from "./request.js";

/** How long after its last use an entry stays, in milliseconds: ten minutes. */
const minAge = 600_000;

/** What can make room in a cache for a staging that lacks it. */
export interface RoomSource {
  /**
   * Removes what nobody uses until so much is free that was not before; removes nothing where that
   * can't be reached. Undefined where the user has not allowed it.
   */
  readonly makeRoom: ((missing: Amount) => Promise<void>) | undefined;
  /** What could be freed. It takes no locks, and walks no trees. */
  readonly reclaimable: () => Amount;
}

/**
 * @param layerNames names of the layers that the staging needs, as {@link cacheName} has them: they
 * stay
 * @throws StageError CONFIG
 */
export function roomSource(request: StageRequest, layerNames: Iterable<string>): RoomSource {
  const { layout, options, configuration } = request;
  const { signal, wait } = options;
  const wantedLayers = new Set(layerNames);
  const run = (goals: { maxSize: number } | { toFree: Amount }) => {
    const inUse = keysInUse(pathsInUse());
    return new GcRun(layout, {
      goals,
      minAge,
      keysInUse: inUse,
      wantedLayers,
      allOrNothing: true,
      signal,
    });
  };
  const makeRoom = async (missing: Amount) => {
    const work = () => run({ toFree: missing }).execute();
    await underLock(layout, { wait, signal, work });
  };
  const isAllowed = options.gc ?? configuration().cache.autoGc ?? false;
  return {
    makeRoom: isAllowed ? makeRoom : undefined,
    reclaimable: () => run({ maxSize: 0 }).preview().freed,
  };
}
