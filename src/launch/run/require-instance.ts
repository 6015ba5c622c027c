import { execFile } from "node:child_process";
import { StageError } from "../../errors.js";
import { printable } from "../../host/byte-string.js";
import type { ApptainerInstance, InstanceOptions } from "../runtimes/apptainer.js";

/** How long Apptainer may take to look, in milliseconds. */
const patience = 30_000;

/**
 * Looks whether an instance is there, since Apptainer's own failure is no other than that of a
 * command with status 255.
 * @throws StageError SANDBOX
 */
export async function requireInstance(
  { exec }: ApptainerInstance,
  { name, runtime }: InstanceOptions,
): Promise<void> {
  const args = ["--quiet", "instance", "list", name];
  const { env } = exec;
  const said = await new Promise<string>((resolve, reject) => {
    const options = { env, timeout: patience, killSignal: "SIGKILL" } as const;
    execFile(runtime.program, args, options, (error, stdout) => {
      if (!error) return resolve(stdout);
      const message = printable(`Apptainer can't say which instances there are: ${error.message}`);
      reject(new StageError("SANDBOX", message, { cause: error }));
    });
  });
  // It takes the name for a pattern, which may match others too.
  const isThere = said.split("\n").some((line, i) => i > 0 && line.split(/\s+/)[0] === name);
  if (isThere) return;
  throw new StageError("SANDBOX", `you have no instance "${name}" on this node`, {
    hint: `stage-rootfs command IMAGE --instance ${name} prints how one is started`,
  });
}
