import { printable } from "../../host/byte-string.js";
import type { LaunchCommand } from "../launch-command.js";
import type { LaunchPlan } from "../plan.js";
import type { Runtime } from "../runtime.js";
import { cannot } from "./cannot.js";

/**
 * A plan without any sandbox: the command is a process of the host like any other, with the plan's
 * environment. What was asked for by name and takes a sandbox is refused; what is only the default is
 * left out, and a warning says so.
 * @throws StageError SANDBOX
 */
export function nativeCommand(plan: LaunchPlan, runtime: Runtime): LaunchCommand {
  for (const what of beyondNative(plan, runtime)) throw cannot("native", what, { hint });
  const { PATH: planned, ...others } = plan.env;
  const path = pathOf(planned, { plan, runtime });
  return {
    // It says with 125, 126 or 127 what kept the command from starting.
    argv: [
      "/usr/bin/env",
      ...(plan.asked?.workingDir ? ["-C", plan.workingDir] : []),
      "--",
      ...plan.argv,
    ],
    env: path === undefined ? others : { ...others, PATH: path },
    fds: [],
    warnings: [warningOf(plan)],
  };
}

const hint = "choose a runtime that isolates, bwrap for instance";

/** What native can't do, although it was asked for. */
function* beyondNative(plan: LaunchPlan, { caller }: Runtime): Generator<string> {
  const { user, asked } = plan;
  const { uid, gid } = caller ?? { uid: 0, gid: 0 };
  if (plan.root === "rw") yield "has no root that could be written to and is gone at the end";
  if (asked?.network && plan.network === "none") yield "can't keep a command from the network";
  if (plan.hostname !== null) yield "can't give a command a host name of its own";
  if (plan.droppedCapabilities.length > 0) yield "can't take capabilities away";
  if (user && (user.uid !== uid || user.gid !== gid)) yield "can't run a command as somebody else";
  for (const target of asked?.tmpfs ?? []) {
    yield `can't mount anything, and so not a fresh ${printable(target)}`;
  }
  for (const mount of plan.mounts) {
    if (mount.type !== "bind" || mount.source === mount.target) continue;
    yield `can't mount anything: ${printable(mount.source)} can't be seen at ${printable(mount.target)}`;
  }
  const [program] = plan.argv;
  // `env` would take it for a variable.
  if (program.includes("=")) yield `can't start a command of the name ${printable(program)}`;
}

/** Where programs are looked for; undefined for nowhere. */
function pathOf(
  planned: string | undefined,
  { plan, runtime }: { readonly plan: LaunchPlan; readonly runtime: Runtime },
): string | undefined {
  if (plan.asked?.path) return planned;
  if (runtime.nativePath !== "rootfs") return runtime.callerEnv?.["PATH"] ?? planned;
  const entries = planned?.split(":").filter((entry) => entry.startsWith("/"));
  return entries?.map((entry) => plan.rootfs + entry).join(":");
}

function warningOf({ mounts }: LaunchPlan): string {
  const readOnly = mounts.some((mount) => mount.type === "bind" && mount.access === "ro");
  return [
    "no isolation: the command is a process of this host, with its files, its network and your rights",
    ...(readOnly ? ["what it is given read-only it can write to wherever you can"] : []),
  ].join("; ");
}
