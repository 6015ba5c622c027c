import { StageError } from "../errors.js";
import { printable } from "../host/byte-string.js";
import type { ImageSummary } from "./image.js";
import { checkLimit, type Limits } from "./limits.js";
import { formatPlatform, type Platform, platformsAgree } from "./platform.js";

/**
 * Checks that an image is one that was asked for.
 * @param options.label where it is from, for messages
 * @param options.platform undefined where none was asked for: then a lone image may be for any
 * @throws StageError NOT_FOUND for another platform's image, LIMIT_LAYERS
 */
export function checkImage(
  image: Pick<ImageSummary, "layers" | "platform">,
  options: { label: string; limits: Limits; platform: Platform | undefined },
): void {
  const { label, limits, platform: wanted } = options;
  checkLimit(limits, { name: "layers", value: image.layers.length, place: () => label });
  const [os = "", architecture = "", variant] = image.platform.split("/");
  if (!wanted || platformsAgree(wanted, { os, architecture, variant })) return;
  throw new StageError(
    "NOT_FOUND",
    `${label} holds an image for ${printable(image.platform)}, not for ${formatPlatform(wanted)}`,
  );
}
