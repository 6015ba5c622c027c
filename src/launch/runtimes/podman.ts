import { printable } from "../../host/byte-string.js";
import type { LaunchCommand } from "../launch-command.js";
import type { LaunchPlan, SandboxUser } from "../plan.js";
import type { Runtime } from "../runtime.js";
import { cannot } from "./cannot.js";
import { engineEnvironment } from "./engine-environment.js";
import { deviceValue, type EngineMount, engineMounts, mountValue } from "./engine-mounts.js";
import { withGpu } from "./gpu-environment.js";

const root: SandboxUser = { uid: 0, gid: 0 };

/**
 * A plan as a podman command line, of options that podman has had since 4.3. The rootfs is always
 * the lower layer of an overlay, for podman writes `/etc/mtab` and others into one that lacks them,
 * even into one that it then mounts read-only.
 * @throws StageError SANDBOX
 */
export function podmanCommand(plan: LaunchPlan, runtime: Runtime): LaunchCommand {
  const { ociRuntime = "crun", callerEnv = {} } = runtime;
  checkVersion(runtime.version);
  const { options, passed } = engineEnvironment(withGpu(plan.env, plan.gpu), callerEnv);
  return {
    argv: [
      runtime.program,
      // It warns each time of a user without subordinate ids, who needs none here.
      ...["--log-level", "fatal", "--events-backend", "none", "--runtime", ociRuntime],
      ...["run", "--rm", "--interactive", ...(plan.terminal ? ["--tty"] : [])],
      // Else two bytes of the input could detach it from the command.
      ...["--detach-keys", "", "--log-driver", "none", "--pull", "never"],
      // As process 1 the command would not die of signals that it does not handle.
      ...["--init", "--systemd=false"],
      // The limits of the caller's job go on to hold; runc can't.
      ...(ociRuntime === "crun" ? ["--cgroups=disabled"] : []),
      ...["--security-opt", "no-new-privileges", "--security-opt", "label=disable"],
      ...(plan.root === "ro" ? ["--read-only", "--read-only-tmpfs=false"] : []),
      ...userOptions(plan, runtime),
      ...plan.droppedCapabilities.flatMap((name) => ["--cap-drop", name]),
      ...["--network", plan.network, ...(plan.network === "none" ? ["--no-hosts"] : [])],
      ...(plan.hostname === null ? ["--uts", "host"] : ["--hostname", plan.hostname]),
      // Shared memory is bounded by the node's, not by podman's 64 MB.
      ...["--shm-size", "0"],
      ...[...engineMounts(plan, "podman"), ...(plan.gpu?.mounts ?? [])].flatMap(mountOptions),
      ...["--unsetenv-all", "--http-proxy=false", ...options],
      ...["--workdir", plan.workingDir],
      ...["--rootfs", overlayOf(plan.rootfs)],
      ...plan.argv,
    ],
    env: { ...passed, ...callerEnv },
    fds: [],
  };
}

function checkVersion(version: string | undefined): void {
  const [major = 0, minor = 0] = (version ?? "4.3").split(".").map(Number);
  if (major > 4 || (major === 4 && minor >= 3)) return;
  throw cannot("podman", `${version} is too old: it takes 4.3 to start a rootfs like this`, {
    hint: "update podman, or use bwrap",
  });
}

/**
 * Who the command is. An ordinary user's podman has one id to give, the caller's own, under whatever
 * number: so no subordinate ids are needed.
 */
function userOptions(plan: LaunchPlan, runtime: Runtime): readonly string[] {
  const { caller = root, ociRuntime = "crun" } = runtime;
  const { uid, gid } = plan.user ?? caller;
  const user = ["--user", `${uid}:${gid}`, "--passwd=false"];
  if (caller.uid === 0) return user;
  if (ociRuntime === "runc" && (uid !== 0 || gid !== 0)) {
    throw cannot("podman", "can have its command run as root only, where crun does not work", {
      hint: "use --uid-0, which gives it no more rights than you have, or install crun",
    });
  }
  return [
    ...["--uidmap", `${uid}:0:1`, "--gidmap", `${gid}:0:1`, ...user],
    ...["--group-add", "keep-groups"],
    // Distributions have podman set it to a group that does not exist there.
    ...(plan.network === "none" ? ["--sysctl", `net.ipv4.ping_group_range=${gid} ${gid}`] : []),
  ];
}

function mountOptions(mount: EngineMount): readonly string[] {
  if (mount.type === "bind" && mount.access === "dev") {
    return ["--device", deviceValue(mount, "podman")];
  }
  return ["--mount", mountValue(mountFields(mount), "podman")];
}

function mountFields(mount: EngineMount): readonly string[] {
  const destination = `destination=${mount.target}`;
  // Without the last word podman copies into it what the image has there.
  if (mount.type === "tmpfs") {
    return ["type=tmpfs", destination, "tmpfs-mode=1777", "notmpcopyup"];
  }
  return [
    "type=bind",
    `source=${mount.source}`,
    destination,
    ...(mount.access === "ro" ? ["readonly=true"] : []),
  ];
}

/** The rootfs as an overlay's lower layer, in whose options some characters have a meaning. */
function overlayOf(rootfs: string): string {
  if (!/[,\\]/.test(rootfs)) return `${rootfs}:O`;
  throw cannot("podman", `can't have a rootfs at ${printable(rootfs)}`, {
    hint: "choose a cache directory without commas and backslashes",
  });
}
