import { mkdirSync } from "node:fs";
import type { Stack, StackLayer } from "./arbitrary-stacks.js";
import { type Unpacked, type UnpackOptions, unpackEntries } from "./layers.js";

/** Unpacks the layers of a stack below `directory`, each once, as into a cache. */
export async function unpackStack(
  stack: Stack,
  directory: string,
  options: Pick<UnpackOptions, "digests"> = {},
): Promise<readonly Unpacked[]> {
  const trees = new Map<StackLayer, Unpacked>();
  for (const layer of stack) {
    if (trees.has(layer)) continue;
    const into = `${directory}/layer-${trees.size}`;
    mkdirSync(into);
    trees.set(layer, await unpackEntries(layer.entries, { into, form: layer.form, ...options }));
  }
  return stack.flatMap((layer) => trees.get(layer) ?? []);
}
