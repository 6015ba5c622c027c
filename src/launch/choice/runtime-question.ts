import { existsSync, statSync } from "node:fs";
import { hostname, release } from "node:os";
import { cgroupVersion } from "../../host/engine-facts.js";
import { hashNow } from "../../host/hash.js";
import { bootId } from "../../host/process-identity.js";
import { sandboxLimits } from "../../host/sandbox-limits.js";
import type { LaunchPlan, Network, SandboxUser } from "../plan.js";
import type { RuntimeName } from "../runtime.js";
import { callerVariables } from "../runtimes/caller-variables.js";

/** What plans ask for that a runtime may be able to do on one node and not on another. */
export interface Needs {
  readonly root: "ro" | "rw";
  readonly network: Network;
  readonly user: SandboxUser | null;
}

export function needsOf({ root, network, user }: LaunchPlan): Needs {
  return { root, network, user };
}

/** A question that the node answers the same way as long as its state is the same. */
export interface RuntimeQuestion {
  readonly name: string;
  readonly state: string;
}

/**
 * Whether a program of this node starts what is needed, as a question to remember the answer of. It
 * is another question on another node, for another user and another program; and its state changes
 * with the boot, the kernel, the program's file, and what the kernel lets this process do.
 * @throws errors of the file system, where the program is gone
 */
export function runtimeQuestion(
  runtime: RuntimeName,
  { program, needs }: { readonly program: string; readonly needs: Needs },
): RuntimeQuestion {
  const uid = process.geteuid?.() ?? 0;
  const host = hostname();
  const { root, network, user } = needs;
  const who = [host, uid, runtime, program, root, network, user?.uid, user?.gid];
  const { dev, ino, size, mtimeMs, ctimeMs } = statSync(program);
  const state = {
    host,
    boot: bootId(),
    kernel: release(),
    uid,
    gid: process.getegid?.() ?? 0,
    program,
    file: [dev, ino, size, mtimeMs, ctimeMs],
    limits: sandboxLimits(),
    // Only podman has them made, and by programs that do not know all kinds of them.
    cgroups: runtime === "podman" ? cgroupVersion(existsSync) : null,
    variables: callerVariables(runtime, process.env),
    needs,
  };
  return {
    name: `runtime-${hashNow("sha256", JSON.stringify(who)).slice(0, 32)}`,
    state: JSON.stringify(state),
  };
}
