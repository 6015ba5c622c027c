import { type ReadIfAny, readTextIfAny } from "./read-text-if-any.js";

/** What the kernel, and whoever started this process, let it do that sandboxes need. */
export interface SandboxLimits {
  /** `user.max_user_namespaces`; undefined where the kernel has no user namespaces, or hides it. */
  readonly maxUserNamespaces: number | undefined;
  /** `kernel.unprivileged_userns_clone`, of Debian's kernels; true where there is no such switch. */
  readonly unprivilegedUserNamespaces: boolean;
  /** `kernel.apparmor_restrict_unprivileged_userns`, of Ubuntu's since 23.10. */
  readonly appArmorRestricts: boolean;
  /** Whether system calls of this process are filtered, as in containers of Docker or podman. */
  readonly seccomp: boolean;
  /** Whether setuid programs do nothing for this process. */
  readonly noNewPrivileges: boolean;
  /** In hex, as in /proc/PID/status; empty where unknown. */
  readonly capabilities: string;
}

/** Reads them anew: some 50 µs. */
export function sandboxLimits(read: ReadIfAny = readTextIfAny): SandboxLimits {
  const status = read("/proc/self/status") ?? "";
  const field = (name: string) => fieldOf(status, name);
  const switchAt = (path: string) => read(`/proc/sys/${path}`)?.trim();
  const most = switchAt("user/max_user_namespaces");
  return {
    maxUserNamespaces: most === undefined || most === "" ? undefined : Number(most),
    unprivilegedUserNamespaces: switchAt("kernel/unprivileged_userns_clone") !== "0",
    appArmorRestricts: switchAt("kernel/apparmor_restrict_unprivileged_userns") === "1",
    seccomp: field("Seccomp") === "2",
    noNewPrivileges: field("NoNewPrivs") === "1",
    capabilities: field("CapEff") ?? "",
  };
}

/** A field of a file like /proc/PID/status, one on each line; each launch reads it, so in no time. */
function fieldOf(status: string, name: string): string | undefined {
  const start = `\n${status}`.indexOf(`\n${name}:`);
  if (start < 0) return undefined;
  const end = status.indexOf("\n", start);
  return status.slice(start + name.length + 1, end < 0 ? undefined : end).trim();
}
