import { existsSync, mkdirSync, utimesSync } from "node:fs";
import { fromSystemError } from "../errors.js";
import { ignoring } from "../host/ignoring.js";
import { readJsonIfAny } from "../host/read-json.js";
import { markNew } from "./durability/durability-mark.js";
import { isBelieved } from "./durability/is-believed.js";
import { writeRecord } from "./index/write-record.js";
import type { CacheLayout } from "./layout.js";
import { showAgain } from "./leases/leaving.js";
import { openToReaders } from "./place/readers.js";
import { type Published, readOrPublish, type WaitOptions } from "./publish.js";

export interface EnsureLayerOptions<Record extends object> extends WaitOptions {
  /** The layer's name in the cache: its diffID and what else its tree depends on. */
  readonly name: string;
  /** Reads a record back; undefined where it is none that this version can use. */
  readonly parse: (value: unknown) => Record | undefined;
  /** Unpacks the layer into the empty directory `tree`. */
  readonly unpack: (tree: string) => Promise<Record>;
}

/** Where a layer's tree is. */
export function layerTree(layout: CacheLayout, name: string): string {
  return `${layout.layer(name)}/tree`;
}

/** The file that describes a layer. It is written last: being there, it is the mark of completeness. */
export function layerFile(layout: CacheLayout, name: string): string {
  return `${layout.layer(name)}/layer.json`;
}

/** Whether the cache seems to have a layer; only reading its record tells for sure. */
export function hasLayer(layout: CacheLayout, name: string): boolean {
  return existsSync(layerFile(layout, name)) && isBelieved(layout.layer(name));
}

/**
 * A layer's record; undefined where the cache does not have the layer, not from its owner, or power
 * loss may have harmed it.
 */
export function readLayer<Record extends object>(
  layout: CacheLayout,
  options: Pick<EnsureLayerOptions<Record>, "name" | "parse">,
): Record | undefined {
  const { name, parse } = options;
  const directory = layout.layer(name);
  if (!isBelieved(directory)) return undefined;
  return parse(readJsonIfAny(layerFile(layout, name)));
}

function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    throw fromSystemError(error, `write ${path}`);
  }
}

/** A layer of the cache; unpacked by this process when no other has or does. */
export async function ensureLayer<Record extends object>(
  layout: CacheLayout,
  options: EnsureLayerOptions<Record>,
): Promise<Published<Record>> {
  const { name, unpack } = options;
  return await readOrPublish(layout, {
    ...options,
    what: `the layer ${name}`,
    lock: layerLock(name),
    path: layout.layer(name),
    read: () => {
      noteLayerUse(layout, name);
      return readLayer(layout, options);
    },
    restore: () => showAgain(layerFile(layout, name)),
    make: async (directory) => {
      const tree = `${directory}/tree`;
      makeDirectory(tree);
      const record = await unpack(tree);
      writeRecord(`${directory}/layer.json`, record);
      openToReaders(directory);
      markNew(directory);
      return record;
    },
  });
}

/** The name of the lock under which a layer is made and removed. */
export function layerLock(name: string): string {
  return `layer-${name}`;
}

/**
 * Dates a layer's last use to now, if there is such a layer. Before it is read: whoever removes
 * layers hides them first and looks at the date then. In a cache that this process can't write to,
 * nobody removes any under it.
 */
function noteLayerUse(layout: CacheLayout, name: string): void {
  const time = new Date();
  ignoring(["ENOENT", "ENOTDIR", "ELOOP", "EROFS", "EACCES", "EPERM", "EIO"], () => {
    utimesSync(layerFile(layout, name), time, time);
  });
}
