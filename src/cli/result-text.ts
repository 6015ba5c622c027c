import type { StageResult } from "../stage/result.js";
import type { OptionValues } from "./options.js";

/** What `stage-rootfs IMAGE` says on stdout. */
export function resultText(result: StageResult, { json }: Pick<OptionValues, "json">): string {
  return json ? `${JSON.stringify(result)}\n` : `${result.rootfs}\n`;
}
