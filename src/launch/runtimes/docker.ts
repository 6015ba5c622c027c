import type { LaunchCommand } from "../launch-command.js";
import type { LaunchPlan } from "../plan.js";
import type { Runtime } from "../runtime.js";
import { cannot } from "./cannot.js";
import { engineEnvironment } from "./engine-environment.js";
import {
  deviceValue,
  type EngineMount,
  engineMounts,
  mountValue,
  refuseColon,
} from "./engine-mounts.js";

/**
 * A plan as a docker command line, of options that docker has had since 20.10. The engine takes the
 * image from its own store, by ID; it is given it first where it does not have it and the plan names
 * a file.
 * @throws StageError SANDBOX
 */
export function dockerCommand(plan: LaunchPlan, runtime: Runtime): LaunchCommand {
  const { program, callerEnv = {} } = runtime;
  const { options, passed } = engineEnvironment(plan.env, callerEnv);
  const { uid, gid } = plan.user ?? runtime.caller ?? { uid: 0, gid: 0 };
  const imageId = imageIdOf(plan);
  return {
    argv: [
      ...loadedFirst(program, { imageId, imageFile: plan.imageFile }),
      program,
      ...["run", "--rm", "--interactive", ...(plan.terminal ? ["--tty"] : [])],
      ...["--log-driver", "none", "--pull", "never", "--no-healthcheck"],
      // As process 1 the command would not die of signals that it does not handle.
      "--init",
      ...["--security-opt", "no-new-privileges"],
      ...(plan.root === "ro" ? ["--read-only"] : []),
      ...["--user", `${uid}:${gid}`],
      ...plan.droppedCapabilities.flatMap((name) => ["--cap-drop", name]),
      ...["--network", plan.network],
      ...(plan.hostname === null ? ["--uts", "host"] : ["--hostname", plan.hostname]),
      ...engineMounts(plan, "docker").flatMap(mountOptions),
      ...(plan.gpu ? ["--gpus", "all"] : []),
      ...options,
      ...["--workdir", plan.workingDir],
      ...["--entrypoint", "", imageId],
      ...plan.argv,
    ],
    env: { ...passed, ...callerEnv },
    fds: [],
  };
}

function imageIdOf({ imageId }: LaunchPlan): string {
  if (imageId !== null) return imageId;
  throw cannot("docker", "takes images by their ID, and this one's is not known", {
    hint: "use a runtime that takes a rootfs, bwrap for instance",
  });
}

/**
 * Words before a command: a shell that sees to it that the engine has the image, and then becomes
 * the command. So it is one command still, to print and to run.
 */
function loadedFirst(
  program: string,
  { imageId, imageFile }: { readonly imageId: string; readonly imageFile: string | undefined },
): readonly [string, ...string[]] | readonly [] {
  if (imageFile === undefined) return [];
  return ["/bin/sh", "-c", loading, "sh", program, imageId, imageFile];
}

// The second look is for engines that name images by their manifests, as containerd's store does.
const loading = `has() { "$1" image inspect --format . "$2" >/dev/null 2>&1; }
if ! has "$1" "$2"; then
  "$1" load --quiet --input "$3" >&2 || exit 125
  if ! has "$1" "$2"; then
    echo "docker: the engine has loaded $3, but knows no image by the ID $2" >&2
    exit 125
  fi
fi
shift 3
exec "$@"`;

function mountOptions(mount: EngineMount): readonly string[] {
  if (mount.type === "tmpfs") {
    refuseColon(mount.target, "docker");
    return ["--tmpfs", `${mount.target}:rw,exec,nosuid,nodev,mode=1777`];
  }
  if (mount.access === "dev") return ["--device", deviceValue(mount, "docker")];
  const fields = ["type=bind", `source=${mount.source}`, `destination=${mount.target}`];
  return [
    "--mount",
    mountValue([...fields, ...(mount.access === "ro" ? ["readonly"] : [])], "docker"),
  ];
}
