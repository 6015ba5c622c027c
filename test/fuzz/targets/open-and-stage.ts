import { mkdirSync } from "node:fs";
import type { Image } from "../../../src/oci/image.js";
import { openImage } from "../../../src/oci/open-image.js";
import { parsePlatform } from "../../../src/oci/platform.js";
import type { Transport } from "../../../src/oci/reference.js";
import type { Site } from "../fuzz-case.js";
import { choiceCodes, outcomeOfAsync } from "../outcome.js";
import { stageLayers } from "./stage-layers.js";

const choices = ["", ":name:1", ":other", ":@0", ":@1", ":@99", ":nothing"];

/** Opens the image at a path by one of the transports and, if it is one, stages its layers. */
export async function openAndStage(
  path: string,
  options: Site & { transports: readonly Transport[] },
): Promise<string> {
  const { dice, directory } = options;
  const transport = dice.pick(options.transports);
  const platform = dice.chance(0.2) ? parsePlatform("linux/amd64") : undefined;
  const spoolDirectory = () => {
    mkdirSync(`${directory}/spool`);
    return `${directory}/spool`;
  };
  const reference = { transport, location: path + (dice.chance(0.2) ? dice.pick(choices) : "") };
  const opened = await outcomeOfAsync(
    () => openImage(reference, { platform, spoolDirectory }),
    choiceCodes,
  );
  options.canary.check();
  if (!opened.ok) return `${opened.refusal.code} of an image`;
  checkImage(opened.value, directory);
  const { layers, config } = opened.value;
  // An image may well say one layer a thousand times; the tenth tells nothing new.
  return await stageLayers(layers.slice(0, 6), { ...options, workingDir: config.workingDir });
}

/** An image's layers lie in the image, or in what was unpacked of it. */
function checkImage({ layers }: Image, directory: string): void {
  for (const { span, size } of layers) {
    const { path, offset } = span;
    const isInside = path.startsWith(`${directory}/`) && !path.includes("/../");
    if (!isInside || offset < 0 || !Number.isSafeInteger(size)) {
      throw new Error(`a layer at ${JSON.stringify(span)}`);
    }
  }
}
