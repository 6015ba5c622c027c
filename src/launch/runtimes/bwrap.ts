import { kernelMounts } from "../kernel-files.js";
import type { FdContent, LaunchCommand } from "../launch-command.js";
import type { Mount } from "../mount.js";
import type { LaunchPlan } from "../plan.js";
import type { Runtime } from "../runtime.js";
import { cannot } from "./cannot.js";
import { capabilitiesOut } from "./capabilities-out.js";
import { withGpu } from "./gpu-environment.js";
import { partEnvironment } from "./loader-variables.js";
import { terminalFilter } from "./terminal-filter.js";

/** Bytes of options from which on they are handed over in a descriptor. */
const longOptions = 64 * 1024;

/** bwrap counts all words, those of the command too, and stops above 9000; `run` adds a few. */
const mostWords = 8990;

const firstFd = 3;

/**
 * A plan as a bwrap command line, of options that bwrap has had since 0.4.0 (a writable root needs
 * 0.11). The environment is to be given to bwrap itself: it passes it on, and none of it shows in a
 * process list, but for what would have bwrap load files of the image.
 * @throws StageError SANDBOX
 */
export function bwrapCommand(plan: LaunchPlan, runtime: Runtime): LaunchCommand {
  const { harmless, loader } = partEnvironment(withGpu(plan.env, plan.gpu));
  const filter = plan.terminal ? terminalFilter(process.arch) : undefined;
  const options = [
    "--unshare-all",
    "--die-with-parent",
    ...(filter ? ["--seccomp", String(firstFd)] : ["--new-session"]),
    ...(plan.network === "host" ? ["--share-net"] : []),
    ...userOptions(plan),
    ...(plan.hostname === null ? [] : ["--hostname", plan.hostname]),
    ...[...capabilitiesOut, ...plan.droppedCapabilities].flatMap((name) => ["--cap-drop", name]),
    ...rootOptions(plan, runtime),
    ...plan.mounts.flatMap((mount) => [mount, ...coversOf(mount, runtime)]).flatMap(mountOptions),
    ...[...(plan.gpu?.mounts ?? []), ...plan.nameService].flatMap(mountOptions),
    ...Object.entries(loader).flatMap(([name, value]) => ["--setenv", name, value]),
    ...["--chdir", plan.workingDir],
  ];
  checkCount(options.length + plan.argv.length);
  const filters = filter ? [{ fd: firstFd, content: filter }] : [];
  const { words, fds } = withLongOptions(options, filters);
  return { argv: [runtime.program, ...words, "--", ...plan.argv], env: harmless, fds };
}

function userOptions({ user }: LaunchPlan): readonly string[] {
  if (user === null) return [];
  return ["--unshare-user", "--uid", String(user.uid), "--gid", String(user.gid)];
}

function rootOptions(plan: LaunchPlan, runtime: Runtime): readonly string[] {
  if (plan.root === "ro") return ["--ro-bind", plan.rootfs, "/"];
  if (runtime.canOverlay) return ["--overlay-src", plan.rootfs, "--tmp-overlay", "/"];
  const what = [runtime.version ?? [], "can't make the root writable on this node"]
    .flat()
    .join(" ");
  throw cannot("bwrap", what, {
    hint: "that takes bwrap 0.11 and Linux 5.11; have one directory writable with --tmpfs DIR, or use --apptainer or --podman",
  });
}

function coversOf({ type, target }: Mount, runtime: Runtime): readonly Mount[] {
  return type === "proc" ? kernelMounts(runtime, { proc: target }) : [];
}

function mountOptions(mount: Mount): readonly string[] {
  if (mount.type !== "bind") return [`--${mount.type}`, mount.target];
  const option = { ro: "--ro-bind", rw: "--bind", dev: "--dev-bind" }[mount.access];
  return [option, mount.source, mount.target];
}

function checkCount(words: number): void {
  if (words <= mostWords) return;
  throw cannot("bwrap", `takes ${mostWords} words at the most, and here are ${words}`, {
    hint: "have the command read them from a file, or use --apptainer or --podman",
  });
}

/** Options as they are, or, if they are long, the one option that says where bwrap reads them. */
function withLongOptions(options: readonly string[], fds: readonly FdContent[]) {
  const content = Buffer.from(options.map((word) => `${word}\0`).join(""));
  if (content.length <= longOptions) return { words: options, fds };
  const fd = firstFd + fds.length;
  return { words: ["--args", String(fd)], fds: [...fds, { fd, content }] };
}
