import { posix } from "node:path";
import type { LayerEntry } from "../support/layers.js";
import type { Attack } from "./attack.js";
import type { Site } from "./site.js";

/**
 * Refuses an attack that would harm the machine if it succeeded, or if its tree were removed by
 * something that follows links: names and targets must lead to the site even where they are taken for
 * paths of the host. That leaves no link to the host's root. Archives made by hand are not looked
 * into.
 */
export function checkAim({ layers }: Attack, { inner }: Site): void {
  const tree = `${inner}/layer-0`;
  const site = posix.dirname(inner);
  for (const { type, name, linkName = "" } of layers.flatMap(entriesOf)) {
    const own = posix.resolve(tree, name);
    const target = posix.resolve(type === "2" ? posix.dirname(own) : tree, linkName);
    for (const path of [own, target.replace(/^\/proc\/self\/root(?=\/)/, "")]) {
      if (path === site || path.startsWith(`${site}/`)) continue;
      throw new Error(`${name} -> ${linkName} leads to the host, not to a canary`);
    }
  }
}

function entriesOf(layer: Attack["layers"][number]): readonly LayerEntry[] {
  return Buffer.isBuffer(layer) ? [] : layer;
}
