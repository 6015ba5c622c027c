import type { Amount } from "../cache/amount.js";
import type { GcGoals } from "../cache/gc-plan.js";
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
   * can't be reached, or the user has not allowed it.
   * @throws StageError CONFIG, BUSY, NOT_WRITABLE; what the request's signal was aborted with
   */
  readonly makeRoom: (missing: Amount) => Promise<void>;
  /** What could be freed. It takes no locks, and walks no trees. */
  readonly reclaimable: () => Amount;
}

/**
 * @param layerNames says which layers the staging needs, by their names in the cache: they stay.
 * Asked when room is
 */
export function roomSource(request: StageRequest, layerNames: () => Iterable<string>): RoomSource {
  const { layout, options, configuration } = request;
  const { signal, wait } = options;
  const runFor = (goals: GcGoals) => {
    return new GcRun(layout, {
      goals,
      minAge,
      keysInUse: keysInUse(pathsInUse()),
      wantedLayers: new Set(layerNames()),
      allOrNothing: true,
      signal,
    });
  };
  return {
    makeRoom: async (missing) => {
      if (!(options.gc ?? configuration().cache.autoGc)) return;
      const work = () => runFor({ toFree: missing }).execute();
      await underLock(layout, { wait, signal, work });
    },
    reclaimable: () => runFor({ maxSize: 0 }).preview().freed,
  };
}
