import { inspectImage } from "../stage/inspect.js";
import { interruptible } from "./interruption.js";
import type { CommandLine } from "./options.js";
import { writeResult } from "./output.js";
import { stagingOptions } from "./staging-options.js";
import { leaveDeletedDirectory, pathOptions } from "./working-directory.js";

/** `stage-rootfs inspect IMAGE`: what the image says of itself, as JSON; on one line with `--json`. */
export async function inspectCommand({ values, words }: CommandLine): Promise<number> {
  const [image = ""] = words;
  leaveDeletedDirectory([image, ...pathOptions(values)]);
  const options = stagingOptions(values);
  const found = await interruptible((signal) => inspectImage(image, { ...options, signal }));
  await writeResult(`${JSON.stringify(found, undefined, values.json ? undefined : 2)}\n`);
  return 0;
}
