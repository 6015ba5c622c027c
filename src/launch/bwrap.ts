import type { LaunchPlan, Mount } from "./plan.js";

/** A program to start: what `command` prints and what `run` starts. */
export interface LaunchCommand {
  readonly argv: readonly [string, ...string[]];
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * A plan as a bwrap command line, of options that bwrap has had since 0.4.0. The environment is to
 * be given to bwrap itself: it passes it on, and none of it shows in a process list.
 * @param bwrap the program's path
 */
export function bwrapCommand(plan: LaunchPlan, bwrap: string): LaunchCommand {
  return {
    argv: [
      bwrap,
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
  };
}

function mountOptions(mount: Mount): readonly string[] {
  if (mount.type !== "bind") return [`--${mount.type}`, mount.target];
  return [mount.access === "ro" ? "--ro-bind" : "--bind", mount.source, mount.target];
}
