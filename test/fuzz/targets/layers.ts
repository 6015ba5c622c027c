import { writeFileSync } from "node:fs";
import { digestOf } from "../../../src/oci/digest.js";
import type { Input, Target } from "../fuzz-case.js";
import { stackSeeds, storages } from "../seeds.js";
import { type StoredLayer, stageLayers } from "./stage-layers.js";

/** Stacks of layers whose digests are right whatever they hold. */
export const layers: Target = {
  name: "layers",
  share: 12,
  reaches: ["a rootfs", "a clash", "IMAGE_INVALID of a layer", "IMAGE_INVALID of a stack"],
  seeds: Object.fromEntries(
    Object.entries(stackSeeds).map(([name, stack]): [string, Input] => [
      name,
      Object.fromEntries(stack.map((bytes, i) => [`layer${i}`, { kind: "tar", bytes }])),
    ]),
  ),
  run: async (input, site) => {
    const stored = Object.values(input).map(({ bytes }, i): StoredLayer => {
      const blob = site.dice.pick(storages)(bytes);
      const path = `${site.directory}/${i}`;
      writeFileSync(path, blob);
      return {
        span: { path, offset: 0, size: blob.length },
        diffId: digestOf(bytes),
        digest: site.dice.chance(0.5) ? digestOf(blob) : null,
      };
    });
    return await stageLayers(stored, { ...site, workingDir: "/work" });
  },
};
