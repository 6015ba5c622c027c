import type { Target } from "../config/configuration.js";
import { StageError } from "../errors.js";
import { type RuntimeName, runtimeNames } from "../launch/runtime.js";
import { choiceOption, type OptionValues } from "./options.js";

/** Which runtimes are to be tried. */
export interface RuntimeWish {
  /** In that order; undefined: all that isolate, in the usual order. */
  readonly candidates: readonly RuntimeName[] | undefined;
  readonly nativePath: "host" | "rootfs";
}

/**
 * The runtime of a command line: `--runtime`, or a flag of its name; else the target's
 * `execution_types`.
 * @throws StageError USAGE
 */
export function runtimeWish(values: OptionValues, target: Target | undefined): RuntimeWish {
  const words = ["auto", ...runtimeNames] as const;
  const named = choiceOption(values, { name: "runtime", words });
  const flags = runtimeNames.filter((name) => values[name]);
  const [first, second] = [...new Set([...(named === undefined ? [] : [named]), ...flags])];
  if (second !== undefined) {
    throw new StageError("USAGE", `${first} and ${second} can't both be the runtime`);
  }
  const nativePath = choiceOption(values, { name: "native-path", words: ["host", "rootfs"] });
  const configured = process.env["SLURM_JOB_ID"] ? target?.slurmTypes : target?.localTypes;
  const candidates = first === undefined || first === "auto" ? configured : [first];
  return { candidates, nativePath: nativePath ?? "host" };
}
