import { kernelFiles } from "../kernel-files.js";
import type { Runtime, RuntimeName } from "../runtime.js";
import { callerVariables } from "../runtimes/caller-variables.js";

/** A program of this node as this process starts it, before anything is known of it. */
export function localRuntime(
  name: RuntimeName,
  { program, nativePath }: Pick<Runtime, "program" | "nativePath">,
): Runtime {
  const caller = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
  return {
    name,
    program,
    caller,
    kernelFiles: caller.uid === 0 ? kernelFiles() : [],
    callerEnv: callerVariables(name, process.env),
    nativePath,
  };
}
