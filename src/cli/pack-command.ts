import { asStageError, StageError } from "../errors.js";
import { printable } from "../host/byte-string.js";
import { formatSize } from "../host/quantity.js";
import { type PackedImage, packImage } from "../stage/pack/pack-image.js";
import { type WarmEnd, warmStatus } from "../stage/warm/warm-status.js";
import { interruptible } from "./interruption.js";
import type { OptionValues } from "./options.js";
import { writeMessage } from "./output.js";
import { stagingOptions } from "./staging-options.js";
import { warmNarrator } from "./warm-text.js";
import { writeAtOnce } from "./write-at-once.js";

/**
 * `stage-rootfs warm --pack DIR`: a line on stdout for each image that is packed.
 * @throws StageError USAGE
 */
export async function packImages(
  images: readonly string[],
  { directory, values }: { directory: string; values: OptionValues },
): Promise<number> {
  if (values.from !== undefined || values.slurm) {
    throw new StageError("USAGE", "--pack packs images, and stages none", {
      hint: "leave out --from and --slurm; what is packed is staged with --from DIR",
    });
  }
  const options = { ...stagingOptions({ ...values, lease: "none" }), directory };
  const narrate = warmNarrator({ progress: false, quiet: true });
  const packOne = async (image: string, signal: AbortSignal): Promise<WarmEnd> => {
    try {
      tell(image, { packed: await packImage(image, { ...options, signal }), values });
      return { state: "staged" };
    } catch (thrown) {
      signal.throwIfAborted();
      const error = asStageError(thrown);
      const failed = { image, state: "failed", error: error.toReport() } as const;
      if (values.json) writeAtOnce(`${JSON.stringify(failed)}\n`);
      else writeMessage(narrate({ type: "image", node: "", ...failed }) ?? "");
      return { state: "failed", error };
    }
  };
  return await interruptible(
    async (signal) => {
      const ends: WarmEnd[] = [];
      for (const image of images) ends.push(await packOne(image, signal));
      return warmStatus(ends);
    },
    { hint: "what came of its layers is kept for the next time" },
  );
}

function tell(image: string, { packed, values }: { packed: PackedImage; values: OptionValues }) {
  const { path, size, reused } = packed;
  const state = reused ? "reused" : "packed";
  const words = [state, formatSize(size).padStart(5), printable(image), printable(path)];
  writeAtOnce(
    values.json ? `${JSON.stringify({ image, state, ...packed })}\n` : `${words.join("  ")}\n`,
  );
}
