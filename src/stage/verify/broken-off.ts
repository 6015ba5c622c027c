import { errnoOf } from "../../errors.js";
import type { TreeFinding } from "../../extract/check/finding.js";
import type { ByteString } from "../../host/byte-string.js";
import { parentOf } from "../../host/rooted-tree.js";
import { isMade, type PlaceToMake } from "../../mountpoints/create.js";

/** Which of the places are there that a process was making when it died, or is making now. */
export function placesMade(rootfs: string, places: readonly PlaceToMake[]): readonly PlaceToMake[] {
  return places.filter((place) => {
    try {
      return isMade(rootfs, place);
    } catch (error) {
      // In a directory that keeps this user out nothing is looked at.
      if (errnoOf(error) === "EACCES") return false;
      throw error;
    }
  });
}

/** What of the findings is not explained by places being made, or begun to be, in that rootfs. */
export function unexplained(
  findings: readonly TreeFinding[],
  places: readonly PlaceToMake[],
): readonly TreeFinding[] {
  return findings.filter((finding) => !places.some((place) => explains(place, finding)));
}

/**
 * What stands in a place's way is removed bit by bit, the place is made, gets its mode and its time,
 * and its directory gets its time back. What is not the place, and not in its way, is nobody's.
 */
function explains(place: PlaceToMake, { code, path }: TreeFinding): boolean {
  if (code === "TIME" && path === parentOf(place.path)) return true;
  return passing.has(code) && isAtOrBelow(path, place.path);
}

const passing: ReadonlySet<TreeFinding["code"]> = new Set(["MISSING", "MODE", "TIME"]);

function isAtOrBelow(path: ByteString, place: ByteString): boolean {
  return path === place || path.startsWith(`${place}/`);
}
