import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  type Compression,
  compressorMissing,
  compressToBlob,
} from "../../../bench/images/compress.mjs";
import { blobDirectory, type Layer, TAG, writeLayout } from "../../../bench/images/layout.mjs";
import { writeTar } from "../../../bench/images/tar-file.mjs";
import { type Entry, largeFiles, smallFiles } from "../../../bench/images/trees.mjs";
import { unpackLayer } from "../../../src/extract/unpack-layer.js";
import { defaultLimits } from "../../../src/oci/limits.js";
import { openImage } from "../../../src/oci/open-image.js";
import { parseReference } from "../../../src/oci/reference.js";
import { usualPolicy } from "../../support/layers.js";
import { scratchDirectory } from "../../support/scratch-directory.js";
import { leaves } from "../../support/tree-contents.js";

const trees = [
  () => smallFiles({ directory: "small", files: 120, sizes: { from: 0, to: 50 }, seed: 1 }),
  () => largeFiles({ directory: "large", bytes: 100_000, fileSize: 60_000, seed: 2 }),
];

async function makeLayer(
  entries: Iterable<Entry>,
  { compression, layout }: { compression: Compression; layout: string },
): Promise<Layer> {
  const { path, diffId } = await writeTar(join(scratchDirectory(), "layer.tar"), entries);
  const blob = await compressToBlob(path, { compression, blobs: blobDirectory(layout) });
  return { ...blob, diffId };
}

test.for(["gzip", "zstd"] as const)(
  "a %s image has what was put into it",
  async (compression, context) => {
    const missing = compressorMissing(compression);
    if (missing !== undefined) context.skip(missing);
    const layout = scratchDirectory();
    const layers: Layer[] = [];
    for (const tree of trees) layers.push(await makeLayer(tree(), { compression, layout }));
    writeLayout(layout, { layers, compression });

    const image = await openImage(parseReference(`oci:${layout}:${TAG}`), {
      platform: undefined,
      spoolDirectory: scratchDirectory,
    });
    expect(image.layers.map(({ diffId }) => diffId)).toEqual(layers.map(({ diffId }) => diffId));
    for (const [index, { span, diffId, digest }] of image.layers.entries()) {
      const tree = join(scratchDirectory(), "tree");
      mkdirSync(tree, { mode: 0o700 });
      await unpackLayer({ span, diffId, digest, tree, policy: usualPolicy, limits: defaultLimits });
      expect(leaves(tree)).toEqual(filesOf(trees[index]?.() ?? []));
    }
  },
);

function filesOf(entries: Iterable<Entry>): Record<string, string> {
  const files = [...entries].filter((entry) => entry.type === "file");
  return Object.fromEntries(files.map(({ name, content }) => [name, content.toString("latin1")]));
}
