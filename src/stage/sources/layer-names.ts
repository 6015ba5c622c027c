import type { StagedImage } from "../staged-image.js";

/**
 * The names in the cache of the layers that an entry was made of. What follows the image's ID in the
 * entry's key is what its layers' names have too, but for the word for mount points that take the
 * place of something.
 */
export function layerNamesOf(key: string, { imageId, layers }: StagedImage): readonly string[] {
  const policy = key.slice(imageId.length).replace(/-mounts-[0-9a-f]{16}$/, "");
  return layers.map(({ diffId }) => `${diffId.replace(":", "-")}${policy}`);
}
