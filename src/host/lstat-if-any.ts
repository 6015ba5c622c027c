import { lstatSync, type Stats } from "node:fs";
import { errnoOf } from "../errors.js";

/** What stands at a path, links not followed; undefined where nothing does. */
export function lstatIfAny(path: string | Buffer): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    // Versions of Node differ in whether this is "no entry" too.
    if (errnoOf(error) === "ENOTDIR") return undefined;
    throw error;
  }
}
