import { StageError } from "../errors.js";
import { tidyUp } from "./after-staging.js";
import type { CommandLine } from "./options.js";
import { writeResult } from "./output.js";
import { resultText } from "./result-text.js";
import { stageFromLine } from "./stage-from-line.js";

/** `stage-rootfs IMAGE`: the rootfs path on stdout, or all of the result as JSON. */
export async function stageCommand(line: CommandLine): Promise<number> {
  if (line.rest?.length) {
    throw new StageError("USAGE", "stage-rootfs IMAGE runs nothing", {
      hint: "write stage-rootfs run IMAGE -- CMD...",
    });
  }
  const result = await stageFromLine(line);
  await writeResult(resultText(result, line.values));
  await tidyUp(result, line.values);
  return 0;
}
