import { StageError } from "../errors.js";
import { findProgram } from "./find-program.js";
import type { LaunchPlan } from "./plan.js";
import type { Runtime, RuntimeName } from "./runtime.js";

export interface RuntimeChoice {
  /** In the order in which they are tried; default: all that isolate. */
  readonly candidates: readonly RuntimeName[] | undefined;
  /** Where `native` finds programs. */
  readonly nativePath: "host" | "rootfs";
  readonly plan: LaunchPlan;
  /** Where the answers of this node are kept. */
  readonly cacheDirectory: string;
}

export interface ChosenRuntime {
  readonly runtime: Runtime;
  /** One sentence each, for people. */
  readonly warnings: readonly string[];
}

/**
 * The first of the candidates that works on this node.
 * @throws StageError SANDBOX where none does, with the reason for each
 */
export async function chooseRuntime(_choice: RuntimeChoice): Promise<ChosenRuntime> {
  const program = findProgram("bwrap", process.env["PATH"]);
  if (program === undefined) {
    throw new StageError("SANDBOX", "bwrap is not installed, or not on PATH", {
      hint: "install bubblewrap, or use the rootfs with another runtime",
    });
  }
  return { runtime: { name: "bwrap", program }, warnings: [] };
}
