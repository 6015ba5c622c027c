import { cannot } from "./cannot.js";
import type { LaunchCommand } from "./launch-command.js";
import type { Mount } from "./mount.js";
import type { LaunchPlan } from "./plan.js";
import type { Runtime } from "./runtime.js";

/**
 * A plan as a bwrap command line, of options that bwrap has had since 0.4.0. The environment is to
 * be given to bwrap itself: it passes it on, and none of it shows in a process list.
 * @throws StageError SANDBOX
 */
export function bwrapCommand(plan: LaunchPlan, runtime: Runtime): LaunchCommand {
  if (plan.root === "rw") throw cannot("bwrap", "has no writable root", { hint: "use --tmpfs" });
  return {
    argv: [
      runtime.program,
      "--unshare-all",
      "--die-with-parent",
      // Without it a program in the sandbox could type into the caller's terminal.
      "--new-session",
      ...["--ro-bind", plan.rootfs, "/"],
      ...plan.mounts.flatMap(mountOptions),
      ...["--chdir", plan.workingDir],
      "--",
      ...plan.argv,
    ],
    env: plan.env,
    fds: [],
  };
}

function mountOptions(mount: Mount): readonly string[] {
  if (mount.type !== "bind") return [`--${mount.type}`, mount.target];
  const option = { ro: "--ro-bind", rw: "--bind", dev: "--dev-bind" }[mount.access];
  return [option, mount.source, mount.target];
}
