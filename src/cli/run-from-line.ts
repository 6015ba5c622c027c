import { isatty } from "node:tty";
import { StageError } from "../errors.js";
import { printable } from "../host/byte-string.js";
import type { LaunchCommand } from "../launch/launch-command.js";
import { requireInstance } from "../launch/run/require-instance.js";
import { runLaunch } from "../launch/run/run.js";
import { apptainerInstance, checkInstanceName } from "../launch/runtimes/apptainer.js";
import { tidyUp } from "./after-staging.js";
import { instanceOptions } from "./instance-options.js";
import { type Launch, type LaunchContext, launchFromLine } from "./launch-from-line.js";
import { type CommandLine, numberOption } from "./options.js";
import { writeMessage } from "./output.js";

/**
 * Stages the image of a command line and runs a command in it.
 * @returns the command's exit status
 * @throws StageError
 */
export async function runFromLine(
  line: CommandLine,
  context: Omit<LaunchContext, "holder">,
): Promise<number> {
  const { values } = line;
  const timeout = numberOption(values, "timeout");
  const grace = numberOption(values, "grace");
  if (values.tty && !isatty(0)) {
    throw new StageError("USAGE", "--tty needs a terminal, and standard input is none", {
      hint: "leave --tty out: the command then reads standard input as it is",
    });
  }
  if (grace !== undefined && timeout === undefined) {
    throw new StageError("USAGE", "--grace means nothing without --timeout");
  }
  const { instance } = values;
  if (instance !== undefined) checkInstanceName(instance);
  // Only Apptainer has instances.
  const launchValues = instance === undefined ? values : { ...values, apptainer: true };
  const launch = await launchFromLine(
    { ...line, values: launchValues },
    { ...context, holder: "process" },
  );
  const { staged, plan, chosen } = launch;
  const { runtime } = chosen;
  const command = instance === undefined ? launch.command : await commandIn(instance, launch);
  const { status, timedOut } = await runLaunch(command, { runtime, plan, timeout, grace });
  if (timedOut) {
    const [program] = plan.argv;
    writeMessage(
      `stage-rootfs: ${printable(program)} still ran after ${timeout} s, and was ended with ${timedOut}`,
    );
  }
  await tidyUp(staged, values);
  return status;
}

/** @throws StageError SANDBOX where there is no such instance */
async function commandIn(name: string, launch: Launch): Promise<LaunchCommand> {
  const options = instanceOptions(launch, name);
  const instance = apptainerInstance(launch.plan, options);
  await requireInstance(instance, options);
  return instance.exec;
}
