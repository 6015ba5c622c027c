import { runBwrap } from "../launch/run.js";
import { tidyUp } from "./after-staging.js";
import { launchFromLine } from "./launch-from-line.js";
import type { CommandLine } from "./options.js";

/** `stage-rootfs run IMAGE -- CMD…`: ends with CMD's own status. */
export async function runCommand(line: CommandLine): Promise<number> {
  const { staged, command } = await launchFromLine(line, { holder: "process" });
  const status = await runBwrap(command);
  await tidyUp(staged, line.values);
  return status;
}
