import type { InstanceOptions } from "../launch/runtimes/apptainer.js";
import type { Launch } from "./launch-from-line.js";

/** An instance of that name, where this process's environment has Apptainer keep instances. */
export function instanceOptions(
  { chosen: { runtime } }: Pick<Launch, "chosen">,
  name: string,
): InstanceOptions {
  const { APPTAINER_CONFIGDIR: configDirectory } = process.env;
  return { runtime, name, configDirectory };
}
