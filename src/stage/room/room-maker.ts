import type { Room } from "../../host/disk-room.js";

/** Who can make room in a cache, for stagings that lack it. */
export interface RoomMaker {
  /**
   * Tries to free so much. What it could not is looked for on the disk afterwards.
   * @param least without so much there is no use in it
   */
  readonly makeRoom?: (missing: Room, least: Room) => Promise<void>;
  /** What could be freed, if somebody asked for it; undefined where that can't be told. */
  readonly reclaimable?: () => Room | undefined;
}
