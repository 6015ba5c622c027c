import { instanceScript } from "../fleet/slurm-session.js";
import type { LaunchCommand } from "../launch/launch-command.js";
import { apptainerInstance, checkInstanceName } from "../launch/runtimes/apptainer.js";
import { toShell } from "../launch/shell-quote.js";
import { tidyUp } from "./after-staging.js";
import { instanceOptions } from "./instance-options.js";
import { type Launch, launchFromLine } from "./launch-from-line.js";
import type { CommandLine } from "./options.js";
import { writeResult } from "./output.js";
import { checkSlurmOptions, slurmLineCommand } from "./slurm-line-command.js";

/**
 * `stage-rootfs command IMAGE -- CMD…`: the launch command, for a shell or as JSON; with
 * `--instance`, those that start an instance of Apptainer's, run CMD in it and stop it.
 */
export async function commandCommand(line: CommandLine): Promise<number> {
  const { values } = line;
  const { instance } = values;
  checkSlurmOptions(values);
  if (values.slurm) return await slurmLineCommand(line);
  if (instance !== undefined) checkInstanceName(instance);
  const launch = await launchFromLine(
    { ...line, values: instance === undefined ? values : { ...values, apptainer: true } },
    { holder: "caller" },
  );
  const { rootfs, key } = launch.staged;
  const { name, program, version = null } = launch.chosen.runtime;
  const found = { schemaVersion: 1, rootfs, key, runtime: { name, program, version } };
  if (values.script && instance !== undefined) {
    const script = instanceScript(launch.plan, instanceOptions(launch, instance));
    await writeResult(values.json ? `${JSON.stringify({ ...found, instance, script })}\n` : script);
    await tidyUp(launch.staged, values);
    return 0;
  }
  const commands = instance === undefined ? undefined : instanceOf(launch, instance);
  if (values.json) {
    const told = commands ? { instance, ...mapped(commands, toJson) } : toJson(launch.command);
    await writeResult(`${JSON.stringify({ ...found, ...told })}\n`);
  } else {
    const lines = commands ? Object.values(commands) : [launch.command];
    await writeResult(lines.map((command) => `${toShell(command)}\n`).join(""));
  }
  await tidyUp(launch.staged, values);
  return 0;
}

/** In the order in which they are used. */
function instanceOf(launch: Launch, name: string) {
  const { start, exec, stop } = apptainerInstance(launch.plan, instanceOptions(launch, name));
  return { start, exec, stop };
}

function mapped<Value, Result>(
  record: Readonly<Record<string, Value>>,
  change: (value: Value) => Result,
): Readonly<Record<string, Result>> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}

function toJson({ argv, env, fds }: LaunchCommand) {
  const contents = fds.map(({ fd, content }) => {
    return { fd, base64: Buffer.from(content).toString("base64") };
  });
  return { argv, env, fds: contents };
}
