import { toShell } from "../launch/shell-quote.js";
import { tidyUp } from "./after-staging.js";
import { launchFromLine } from "./launch-from-line.js";
import type { CommandLine } from "./options.js";
import { writeResult } from "./output.js";

/** `stage-rootfs command IMAGE -- CMD…`: the launch command, for a shell or as JSON. */
export async function commandCommand(line: CommandLine): Promise<number> {
  const { staged, command, chosen } = await launchFromLine(line, { holder: "caller" });
  const { argv, env } = command;
  const fds = command.fds.map(({ fd, content }) => {
    return { fd, base64: Buffer.from(content).toString("base64") };
  });
  const { rootfs, key } = staged;
  const { name, program, version = null } = chosen.runtime;
  const runtime = { name, program, version };
  await writeResult(
    line.values.json
      ? `${JSON.stringify({ schemaVersion: 1, rootfs, key, runtime, argv, env, fds })}\n`
      : `${toShell(command)}\n`,
  );
  await tidyUp(staged, line.values);
  return 0;
}
