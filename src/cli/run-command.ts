import { StageError } from "../errors.js";
import { runBwrap } from "../launch/run.js";
import { tidyUp } from "./after-staging.js";
import { launchFromLine } from "./launch-from-line.js";
import type { CommandLine } from "./options.js";

/** `stage-rootfs run IMAGE -- CMD…`: ends with CMD's own status. */
export async function runCommand(line: CommandLine): Promise<number> {
  const { staged, command, isInstalled } = await launchFromLine(line, "process");
  if (!isInstalled) {
    throw new StageError("SANDBOX", "bwrap is not installed, or not on PATH", {
      hint: `install bubblewrap, or use ${staged.rootfs} with another runtime`,
    });
  }
  const status = await runBwrap(command);
  await tidyUp(staged, line.values);
  return status;
}
