import type { StagedImage } from "../staged-image.js";

/**
 * The names in the cache of the layers that an entry was made of, the base first. What an entry's
 * key says of owners and modes beside the image's digest, the names of its layers say too.
 */
export function layerNames(key: string, { imageId, layers }: StagedImage): readonly string[] {
  const tag = key.slice(fileName(imageId).length).replace(/-mounts-[0-9a-f]{16}$/, "");
  return layers.map(({ diffId }) => `${fileName(diffId)}${tag}`);
}

function fileName(digest: string): string {
  return digest.replace(":", "-");
}
