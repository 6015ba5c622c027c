import { kernelMounts } from "../kernel-files.js";
import type { LaunchPlan } from "../plan.js";
import type { Runtime } from "../runtime.js";
import { apptainerHome } from "./apptainer-home.js";
import { bindFlags, mountFlags } from "./apptainer-mounts.js";
import { cannot } from "./cannot.js";
import { capabilitiesOut } from "./capabilities-out.js";

export interface FlagsOptions {
  readonly runtime: Runtime;
}

/**
 * The options by which `apptainer exec`, `run`, `shell` and `instance start` make a sandbox.
 * @param options.hasWorkingDir whether it starts somewhere, which an instance does not
 * @throws StageError SANDBOX
 */
export function sandboxFlags(
  plan: LaunchPlan,
  { runtime, hasWorkingDir }: FlagsOptions & { readonly hasWorkingDir: boolean },
): readonly string[] {
  checkVersion(runtime);
  const { flags: home, bind: homeBind } = apptainerHome(plan);
  const binds = plan.mounts.filter((mount) => mount !== homeBind);
  return [
    ...["--containall", "--cleanenv", "--no-eval"],
    // Without it, root would be the host's root inside, and a setuid Apptainer would do the mounts.
    "--userns",
    // What a site has all its containers see, and /sys.
    ...["--no-mount", "sys,bind-paths"],
    ...(plan.root === "rw" ? ["--writable-tmpfs"] : []),
    ...(plan.hostname === null ? [] : ["--hostname", plan.hostname]),
    ...(plan.network === "none" ? ["--net", "--network", "none"] : []),
    ...userFlags(plan, runtime),
    ...capabilityFlags(plan),
    // It finds the devices and the driver's libraries by itself.
    ...(plan.gpu === null ? [] : ["--nv"]),
    ...home,
    ...(plan.singularity === null ? [] : bindFlags(singularityBind(plan.singularity))),
    ...(plan.network === "host" ? plan.nameService.flatMap(bindFlags) : []),
    ...kernelMounts(runtime).flatMap(bindFlags),
    ...mountFlags(binds),
    ...(hasWorkingDir ? ["--pwd", plan.workingDir] : []),
  ];
}

/** The options of an `apptainer exec` in an instance: what belongs to the command alone. */
export function instanceFlags(plan: LaunchPlan): readonly string[] {
  return ["--cleanenv", "--no-eval", ...capabilityFlags(plan), "--pwd", plan.workingDir];
}

function singularityBind(source: string) {
  return { type: "bind", source, target: "/.singularity.d", access: "ro" } as const;
}

function capabilityFlags({ droppedCapabilities }: LaunchPlan): readonly string[] {
  const dropped = new Set([...capabilitiesOut, ...droppedCapabilities]);
  return ["--drop-caps", dropped.has("ALL") ? "ALL" : [...dropped].join(",")];
}

/** The caller appears as root, alone, whatever /etc/subuid says and whether there is a fakeroot. */
function userFlags({ user }: LaunchPlan, { caller }: Runtime): readonly string[] {
  // Root can't be made root by --fakeroot where /etc/subuid does not name it.
  if (user === null || (user.uid === caller?.uid && user.gid === caller.gid)) return [];
  if (user.uid === 0 && user.gid === 0) {
    return ["--fakeroot", "--ignore-subuid", "--ignore-fakeroot-command"];
  }
  throw cannot("apptainer", `can't run as ${user.uid}:${user.gid}, only as you or as root`, {
    hint: "use --uid-0, or bwrap",
  });
}

function checkVersion({ version }: Runtime): void {
  const [major = 1, minor = 1] = (version ?? "").match(/\d+/g)?.map(Number) ?? [];
  if (major > 1 || (major === 1 && minor >= 1)) return;
  throw cannot("apptainer", `${version} is too old`, { hint: "use 1.1 or later, or bwrap" });
}
