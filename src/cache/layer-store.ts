import { existsSync, mkdirSync } from "node:fs";
import { fromSystemError } from "../errors.js";
import { readJsonIfAny } from "../host/read-json.js";
import { isIntact, markNew } from "./durability-mark.js";
import type { CacheLayout } from "./layout.js";
import { type Published, readOrPublish, type WaitOptions } from "./publish.js";
import { writeRecord } from "./write-record.js";

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

/** Whether the cache seems to have a layer; only reading its record tells for sure. */
export function hasLayer(layout: CacheLayout, name: string): boolean {
  const directory = layout.layer(name);
  return existsSync(`${directory}/layer.json`) && isIntact(directory);
}

/** A layer's record; undefined where the cache does not have the layer, or power loss may have harmed it. */
export function readLayer<Record extends object>(
  layout: CacheLayout,
  options: Pick<EnsureLayerOptions<Record>, "name" | "parse">,
): Record | undefined {
  const directory = layout.layer(options.name);
  if (!isIntact(directory)) return undefined;
  return options.parse(readJsonIfAny(`${directory}/layer.json`));
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
    lock: `layer-${name}`,
    path: layout.layer(name),
    read: () => readLayer(layout, options),
    make: async (directory) => {
      const tree = `${directory}/tree`;
      makeDirectory(tree);
      const record = await unpack(tree);
      writeRecord(`${directory}/layer.json`, record);
      markNew(directory);
      return record;
    },
  });
}
