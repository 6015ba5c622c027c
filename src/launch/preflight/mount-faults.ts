import { bytesOfText, displayPath, printable } from "../../host/byte-string.js";
import { isWithin } from "../../host/is-within.js";
import type { BindMount, Mount } from "../mount.js";
import type { LaunchFault } from "./fault.js";
import type { Host } from "./host.js";
import { SandboxView } from "./sandbox-view.js";

/** What is wrong with the mounts of a sandbox, in their order. */
export function mountFaults(
  mounts: readonly Mount[],
  { root, host }: { root: string; host: Host },
): readonly LaunchFault[] {
  const bare = new SandboxView({ root, mounts: [], host });
  return mounts.flatMap((mount, i) => {
    const earlier = mounts.slice(0, i);
    // The root alone has been looked at before, mostly.
    const isInRoot = !earlier.some(({ target }) => isWithin(mount.target, target));
    const before = isInRoot ? bare : new SandboxView({ root, mounts: earlier, host });
    const later = mounts.slice(i + 1);
    const found =
      (mount.type === "bind" ? (sourceFault(mount, host) ?? hidden(mount, later)) : undefined) ??
      targetFault(mount, { before, host });
    return found ? [found] : [];
  });
}

/** What is wrong with what a bind is to show. */
export function sourceFault(
  { source, access }: Pick<BindMount, "source" | "access">,
  host: Host,
): LaunchFault | undefined {
  const what = printable(source);
  const kind = host.endOf(source);
  if (kind === "missing") {
    const hint = "it is to be mounted: give a path of this host";
    return { code: "BIND_SOURCE_MISSING", message: `${what} does not exist`, hint };
  }
  const isUsable =
    kind === "directory"
      ? host.may(source, "execute")
      : kind === "file" && (access === "dev" || isOpenTo(host, { source, access }));
  if (isUsable) return undefined;
  return {
    code: "BIND_SOURCE_UNREADABLE",
    message: `${what} is to be mounted, but you may not read it`,
    hint: "ask its owner, or leave it out",
  };
}

function isOpenTo(host: Host, { source, access }: Pick<BindMount, "source" | "access">): boolean {
  return host.may(source, "read") || (access === "rw" && host.may(source, "write"));
}

function hidden(mount: BindMount, later: readonly Mount[]): LaunchFault | undefined {
  const cover = later.find(({ target }) => isWithin(mount.target, target));
  if (!cover || isItself(cover, mount)) return undefined;
  const by = cover.type === "bind" ? printable(cover.source) : `an empty ${cover.type}`;
  return {
    code: "MOUNT_HIDDEN",
    message: `${printable(mount.source)} at ${printable(mount.target)} is hidden by ${by} at ${printable(cover.target)}`,
    hint: "mount one of them elsewhere",
  };
}

/** The same once more, as that which protects the cache. */
function isItself(cover: Mount, { source, target }: BindMount): boolean {
  return cover.type === "bind" && cover.source === source && cover.target === target;
}

function targetFault(
  mount: Mount,
  { before, host }: { before: SandboxView; host: Host },
): LaunchFault | undefined {
  const target = printable(mount.target);
  const place = before.find(mount.target);
  if (place.kind === "unknown" || place.kind === "denied") return undefined;
  if (`/${place.path}` !== bytesOfText(mount.target)) {
    return {
      code: "MOUNT_TARGET_LINK",
      message: `the mount target ${target} leads through a link to /${displayPath(place.path)}`,
      hint: `mount at /${displayPath(place.path)} itself`,
    };
  }
  if (place.kind === "missing") {
    // What may be written to gets its mount points from the runtime.
    if (place.mount?.type === "bind" && place.mount.access === "rw") return undefined;
    const where = place.mount?.type === "bind" ? printable(place.mount.source) : "the image";
    return {
      code: "MOUNT_TARGET_MISSING",
      message: `the mount target ${target} is not in ${where}`,
      hint: "choose a target that is there, or mount its parent read-write",
    };
  }
  const wanted = mount.type === "bind" ? host.endOf(mount.source) : "directory";
  if (wanted === place.kind || wanted === "missing" || wanted === "denied") return undefined;
  const source = mount.type === "bind" ? printable(mount.source) : `an empty ${mount.type}`;
  const [its, other] = wanted === "directory" ? ["directory", "file"] : ["file", "directory"];
  return {
    code: "MOUNT_TARGET_KIND",
    message: `${source} is a ${its}, but its mount target ${target} is a ${other}`,
    hint: "choose another target",
  };
}
