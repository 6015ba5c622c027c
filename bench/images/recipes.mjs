// @ts-check
/** The images that the bench measures with. */
import { join } from "node:path";
import { say } from "../../scripts/lib/say.mjs";
import { compressorMissing } from "./compress.mjs";
import { debian, debianMissing } from "./debian.mjs";
import { writeTar } from "./tar-file.mjs";
import { largeFiles, smallFiles, systemPart } from "./trees.mjs";

/** @typedef {import("./store.mjs").Recipe} Recipe */

const MIB = 1024 * 1024;

/**
 * A system in five layers: Debian, or for a quick run and where Debian can't be had, made-up files
 * in the same sizes.
 * @param {{ quick: boolean }} options
 * @returns {{ title: string, recipe: Recipe }}
 */
export function systemImage({ quick }) {
  /** @type {import("./compress.mjs").Compression[]} */
  const wanted = ["gzip", "zstd"];
  const compressions = wanted.filter((each) => compressorMissing(each) === undefined);
  const reason = quick ? undefined : debianMissing();
  if (!quick && reason === undefined) {
    return { title: "Debian", recipe: { ...debian, compressions } };
  }
  if (reason !== undefined) {
    say(`No Debian image (${reason}): one of made-up files in the same sizes stands in for it.`);
  }
  const recipe = madeUpSystem((quick ? 120 : 550) * MIB);
  return { title: "Made-up system", recipe: { ...recipe, compressions } };
}

/** The shares of the Debian image's five layers. */
const SHARES = [0.12, 0.41, 0.07, 0.2, 0.2];

/**
 * @param {number} size in bytes, unpacked
 * @returns {Omit<Recipe, "compressions">}
 */
function madeUpSystem(size) {
  const parts = SHARES.map((share, index) => {
    return () => systemPart({ directory: `part${index}`, bytes: size * share, seed: index + 1 });
  });
  return {
    name: `system-${size / MIB}m`,
    makeTars: async (directory) => ({
      layers: await tarsOf(directory, parts),
      flat: await writeTar(join(directory, "flat.tar"), inOne(parts)),
    }),
  };
}

/**
 * An image and one more layer on top of it: what an application adds to a system.
 * @param {import("./store.mjs").Image} below
 * @param {string} name of the image below
 * @returns {Recipe}
 */
export function withApplication(below, name) {
  return {
    name: `${name}-application`,
    compressions: [below.compression],
    below,
    makeTars: async (directory) => {
      const application = { directory: "application", bytes: 20 * MIB, seed: 6 };
      return { layers: await tarsOf(directory, [() => systemPart(application)]) };
    },
  };
}

/**
 * One layer of files of 32 MiB.
 * @param {number} size in bytes
 * @returns {Recipe}
 */
export function largeLayer(size) {
  return oneLayer(`large-${size / MIB}m`, () =>
    largeFiles({ directory: "data", bytes: size, fileSize: 32 * MIB, seed: 7 }),
  );
}

/** Sizes of files that are hardly more than their names, in bytes. */
const SMALL = { from: 100, to: 2000 };

/** Sizes of files as packages of scripts have them, in bytes: 3 kB each, as a mean. */
const SCRIPTS = { from: 100, to: 6000 };

/**
 * One layer of files that are hardly more than their names.
 * @param {number} files
 * @returns {Recipe}
 */
export function manyFiles(files) {
  return oneLayer(`files-${files}`, () =>
    smallFiles({ directory: "files", files, sizes: SMALL, seed: 8 }),
  );
}

/**
 * One layer of small files, as in a tree of scripts.
 * @param {number} files
 * @returns {Recipe}
 */
export function manyScripts(files) {
  return oneLayer(`scripts-${files}`, () =>
    smallFiles({ directory: "files", files, sizes: SCRIPTS, seed: 8 }),
  );
}

/**
 * Small files spread over many layers.
 * @param {{ files: number, layers: number }} options
 * @returns {Recipe}
 */
export function manyLayers({ files, layers }) {
  const parts = Array.from({ length: layers }, (_, index) => {
    const count = Math.floor((files * (index + 1)) / layers) - Math.floor((files * index) / layers);
    const directory = `layer${index}`;
    return () => smallFiles({ directory, files: count, sizes: SMALL, seed: 9 + index });
  });
  return {
    name: `layers-${layers}-of-${files}`,
    compressions: ["gzip"],
    makeTars: async (directory) => ({ layers: await tarsOf(directory, parts) }),
  };
}

/**
 * @param {string} name
 * @param {() => Iterable<import("./trees.mjs").Entry>} part
 * @returns {Recipe}
 */
function oneLayer(name, part) {
  return {
    name,
    compressions: ["gzip"],
    makeTars: async (directory) => ({ layers: await tarsOf(directory, [part]) }),
  };
}

/**
 * @param {string} directory
 * @param {readonly (() => Iterable<import("./trees.mjs").Entry>)[]} parts one for each layer
 */
async function tarsOf(directory, parts) {
  const tars = [];
  for (const [index, part] of parts.entries()) {
    tars.push(await writeTar(join(directory, `layer${index}.tar`), part()));
  }
  return tars;
}

/** @param {readonly (() => Iterable<import("./trees.mjs").Entry>)[]} parts */
function* inOne(parts) {
  for (const part of parts) {
    yield* part();
  }
}
