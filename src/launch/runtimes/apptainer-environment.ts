import { printable } from "../../host/byte-string.js";
import type { LaunchPlan } from "../plan.js";
import { cannot } from "./cannot.js";

/** Where apptainer finds the programs that it starts itself. */
const ownPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Variables that Apptainer gives values of its own, or takes as orders to itself. */
const reserved: ReadonlySet<string> = new Set([
  ...["UID", "EUID", "GID", "PREPEND_PATH", "APPEND_PATH", "PROMPT_COMMAND"],
  ...["APPTAINER_COMMAND", "APPTAINER_ENVIRONMENT", "SINGULARITY_ENVIRONMENT"],
]);

/**
 * The environment of an apptainer by which a plan's environment reaches the command: NAME as
 * APPTAINERENV_NAME, which with `--no-eval` is taken as it is. HOME is set by an option.
 * @throws StageError SANDBOX for names that would be lost, or take others with them
 */
export function apptainerEnvironment({ env }: LaunchPlan): Readonly<Record<string, string>> {
  const given = Object.entries(env).filter(([name]) => name !== "HOME");
  for (const [name, value] of given) {
    if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !reserved.has(name)) {
      if (value !== "" || !isNeverEmpty(name)) continue;
    }
    throw cannot("apptainer", `can't set the variable ${printable(name)} to that`, {
      hint: "leave it out, or use bwrap",
    });
  }
  const passed = given.map(([name, value]) => [`APPTAINERENV_${name}`, value] as const);
  return { PATH: ownPath, ...Object.fromEntries(passed) };
}

/** What Apptainer fills in where it is empty. */
function isNeverEmpty(name: string): boolean {
  return name === "PATH" || name === "PS1";
}
