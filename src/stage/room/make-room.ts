import { keysInUse } from "../../cache/leases/keys-in-use.js";
import type { GcGoals } from "../../cache/removal/gc-plan.js";
import { freeRoom, isNone, type Room, without } from "../../host/disk-room.js";
import { pathsInUse } from "../../host/paths-in-use.js";
import { underLock } from "../gc/collect-garbage.js";
import { GcRun } from "../gc/gc-run.js";
import type { StageRequest } from "../request.js";
import type { RoomMaker } from "./room-maker.js";

/** How long after its last use an entry stays, in milliseconds: ten minutes. */
const minAge = 600_000;

/** One that knows what there is to go. */
export interface CacheRoomMaker extends RoomMaker {
  readonly makeRoom: (missing: Room, least: Room) => Promise<void>;
  readonly reclaimable: () => Room;
  /** Sees to it that there is enough room for a staging to find out how much it needs. */
  readonly makeFirstRoom: () => Promise<void>;
}

/** Room for a staging's locks and records, and some more, since others take of it too. */
const firstRoom: Room = { bytes: 256 * 1024, inodes: 32 };

/**
 * Makes room in a cache for a staging that lacks it, where the user allows that: as much as is
 * missing, or as much of it as there is, unless that would not be enough.
 * @param layerNames says which layers the staging needs, by their names in the cache: they stay.
 * Asked when room is
 */
export function roomMaker(
  request: StageRequest,
  layerNames: () => Iterable<string>,
): CacheRoomMaker {
  const { layout, options, configuration } = request;
  const { signal, wait } = options;
  const runFor = (goals: GcGoals, atLeast?: Room) => {
    return new GcRun(layout, {
      goals,
      minAge,
      keysInUse: new Set([...keysInUse(pathsInUse()), ...(request.keptKeys?.() ?? [])]),
      wantedLayers: new Set(layerNames()),
      atLeast,
      signal,
    });
  };
  const makeRoom = async (missing: Room, least?: Room) => {
    if (!(options.gc ?? configuration().cache.autoGc)) return;
    const work = () => runFor({ toFree: missing }, least).execute();
    await underLock(layout, { wait, signal, work });
  };
  return {
    makeRoom,
    makeFirstRoom: async () => {
      const missing = without(firstRoom, freeRoom(layout.tmp));
      if (!isNone(missing)) await makeRoom(missing);
    },
    reclaimable: () => runFor({ maxSize: 0 }).preview().freed,
  };
}
