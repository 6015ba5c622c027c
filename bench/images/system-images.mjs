// @ts-check
import { systemImage } from "./recipes.mjs";
import { imageOf } from "./store.mjs";

/** @typedef {import("./store.mjs").Image} Image */

/**
 * @typedef {object} SystemImages the same layers in both compressions
 * @property {string} title
 * @property {string} name
 * @property {Image} gzip
 * @property {Image | undefined} zstd undefined where zstd is not installed
 */

/**
 * The images of a whole system, made when they are first asked for.
 * @param {boolean} quick
 * @returns {() => Promise<SystemImages>}
 */
export function systemImages(quick) {
  /** @type {Promise<SystemImages> | undefined} */
  let images;
  const make = async () => {
    const { title, recipe } = systemImage({ quick });
    const hasZstd = recipe.compressions.includes("zstd");
    return {
      title,
      name: recipe.name,
      gzip: await imageOf(recipe),
      zstd: hasZstd ? await imageOf(recipe, "zstd") : undefined,
    };
  };
  return () => {
    images ??= make();
    return images;
  };
}
