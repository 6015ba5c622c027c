// @ts-check
/** The bench's images, made once and kept from run to run. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import * as v from "valibot";
import { WORK } from "../../scripts/lib/paths.mjs";
import { bytes, plural, say } from "../../scripts/lib/say.mjs";
import { compressToBlob } from "./compress.mjs";
import { blobDirectory, writeLayout } from "./layout.mjs";

const IMAGES = join(WORK, "bench", "images");

/** Part of every image's path: another number makes all images anew. */
const VERSION = 1;

const imageSchema = v.object({
  compression: v.picklist(["gzip", "zstd"]),
  /** The layout's directory, below that of all images. */
  layout: v.string(),
  /** The base layer first; paths like that of the layout. */
  layers: v.array(
    v.object({ path: v.string(), digest: v.string(), diffId: v.string(), size: v.number() }),
  ),
  /** All layers as one tar.gz, for tools that read nothing else; null where the image is not gzip. */
  flat: v.nullable(v.string()),
  entries: v.number(),
  /** Bytes of file content. */
  unpacked: v.number(),
});

/** @typedef {v.InferOutput<typeof imageSchema>} Image all paths absolute */
/** @typedef {import("./tar-file.mjs").Tar} Tar */

/**
 * @typedef {object} Recipe
 * @property {string} name tells it from all other images, with everything that it depends on
 * @property {readonly import("./compress.mjs").Compression[]} compressions one image for each
 * @property {(directory: string) => Promise<{ layers: readonly Tar[], flat?: Tar }>} makeTars
 *   flat where there are several layers and a tool needs them in one
 * @property {Image} [below] whose layers come under those of makeTars; then there is one compression,
 *   that of this image
 */

/**
 * A recipe's image in one of its compressions. When it is not there, those in all of them are made.
 * @param {Recipe} recipe
 * @param {import("./compress.mjs").Compression} compression
 * @returns {Promise<Image>}
 */
export async function imageOf(recipe, compression = "gzip") {
  const home = join(IMAGES, `v${VERSION}`, recipe.name);
  const file = join(home, `${compression}.json`);
  if (!existsSync(file)) {
    rmSync(home, { recursive: true, force: true });
    await make(recipe, home);
  }
  const image = v.parse(imageSchema, JSON.parse(readFileSync(file, "utf8")));
  return {
    ...image,
    layout: join(home, image.layout),
    layers: image.layers.map((layer) => ({ ...layer, path: join(home, layer.path) })),
    flat: image.flat === null ? null : join(home, image.flat),
  };
}

/**
 * @param {Recipe} recipe
 * @param {string} home
 */
async function make(recipe, home) {
  mkdirSync(dirname(home), { recursive: true });
  const scratch = mkdtempSync(`${home}.`);
  try {
    say(`Making the image ${recipe.name} …`);
    const tars = await recipe.makeTars(scratch);
    for (const compression of recipe.compressions) {
      const image = await compressed(tars, { compression, directory: scratch, ...recipe });
      writeFileSync(join(scratch, `${compression}.json`), JSON.stringify(image));
      const stored = image.layers.reduce((sum, { size }) => sum + size, 0);
      say(
        `  ${plural(image.layers.length, "layer")}, ${image.entries} entries, ${bytes(stored)} of ${compression} for ${bytes(image.unpacked)}`,
      );
    }
    for (const { path } of [...tars.layers, ...(tars.flat ? [tars.flat] : [])]) {
      rmSync(path);
    }
    renameSync(scratch, home);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/**
 * Makes one image of a recipe.
 * @param {{ layers: readonly Tar[], flat?: Tar }} tars
 * @param {{ directory: string, compression: import("./compress.mjs").Compression, below?: Image }} options
 * @returns {Promise<Image>} with paths below `directory`
 */
async function compressed(tars, { directory, compression, below }) {
  const layout = join(directory, compression);
  const blobs = blobDirectory(layout);
  const own = [];
  for (const { path, diffId } of tars.layers) {
    own.push({ ...(await compressToBlob(path, { compression, blobs })), diffId });
  }
  const layers = writeLayout(layout, { layers: [...(below?.layers ?? []), ...own], compression });
  const relative = layers.map((layer) => ({ ...layer, path: layer.path.slice(directory.length) }));
  const sum = (/** @type {"entries" | "unpacked"} */ what) =>
    tars.layers.reduce((total, tar) => total + tar[what], below?.[what] ?? 0);
  return {
    compression,
    layout: compression,
    layers: relative,
    flat: await flatFile(),
    entries: sum("entries"),
    unpacked: sum("unpacked"),
  };

  async function flatFile() {
    if (compression !== "gzip") {
      return null;
    }
    if (tars.flat === undefined) {
      return relative.length === 1 ? (relative[0]?.path ?? null) : null;
    }
    const { path } = await compressToBlob(tars.flat.path, { compression, blobs: directory });
    return path.slice(directory.length);
  }
}
