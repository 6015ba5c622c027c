import { existsSync } from "node:fs";
import { errnoOf, StageError } from "../errors.js";
import { printable } from "../host/byte-string.js";
import { readConfigFile } from "../host/config-file.js";
import { type Configuration, noConfiguration } from "./configuration.js";
import { parseConfiguration } from "./parse-configuration.js";
import { type ConfigPlace, configPlaces, type PlaceInputs } from "./places.js";

/**
 * The configuration: of the file that is named, else of the first one that is there.
 * @throws StageError CONFIG
 */
export function readConfiguration(inputs: PlaceInputs): Configuration {
  for (const place of configPlaces(inputs)) {
    const text = read(place);
    if (text !== undefined) return parseConfiguration(text, place.path);
  }
  return noConfiguration;
}

function read({ path, namedBy, isInHome }: ConfigPlace): string | undefined {
  // Mostly there is none, and to see that is faster than to fail.
  if (namedBy === undefined && !existsSync(path)) return undefined;
  try {
    const text = readConfigFile(path);
    if (text !== undefined || namedBy === undefined) return text;
  } catch (error) {
    // $HOME is still that of the user whom `su` was called by.
    const isForeign = error instanceof StageError && errnoOf(error.cause) === "EACCES";
    if (isInHome && isForeign) return undefined;
    throw error;
  }
  throw new StageError("CONFIG", `${printable(path)}, which ${namedBy} names, does not exist`);
}
