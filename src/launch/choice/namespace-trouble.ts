import type { SandboxLimits } from "../../host/sandbox-limits.js";
import type { Trouble } from "./runtime-answer.js";

/** What is known of a refusal to make a namespace. */
export interface NamespaceRefusal {
  readonly limits: SandboxLimits;
  readonly program: string;
  /** Whether it was a number that was exceeded (ENOSPC), and not a permission that was missing. */
  readonly isLimit: boolean;
}

const administrator = "ask an administrator to allow them";

/** Why the kernel refuses user namespaces to an ordinary user, likeliest first. */
export function namespaceTrouble({ limits, program, isLimit }: NamespaceRefusal): Trouble {
  if (limits.maxUserNamespaces === 0) {
    return {
      reason: "can't make a user namespace: user.max_user_namespaces is 0",
      remedy: `${administrator}: sysctl -w user.max_user_namespaces=15000`,
    };
  }
  if (!limits.unprivilegedUserNamespaces) {
    return {
      reason: "can't make a user namespace: kernel.unprivileged_userns_clone is 0",
      remedy: `${administrator}: sysctl -w kernel.unprivileged_userns_clone=1`,
    };
  }
  if (limits.appArmorRestricts) {
    return {
      reason: "can't use a user namespace: AppArmor restricts them to programs that it knows",
      remedy: `ask an administrator for an AppArmor profile with "userns," for ${program}, or for sysctl -w kernel.apparmor_restrict_unprivileged_userns=0`,
    };
  }
  if (isLimit) {
    return {
      reason:
        "can't make a namespace: a limit in /proc/sys/user is reached, or they are nested too deep",
      remedy: "ask an administrator to raise the limits user.max_*_namespaces",
    };
  }
  if (limits.maxUserNamespaces === undefined) {
    return {
      reason: "can't make a user namespace: the kernel has none, or hides /proc/sys/user",
      remedy: "ask for a kernel with CONFIG_USER_NS",
    };
  }
  if (limits.seccomp) {
    return {
      reason: "can't make a user namespace: a seccomp filter of the container around it forbids it",
      remedy:
        "start it outside that container, or start the container with --security-opt seccomp=unconfined",
    };
  }
  return {
    reason: "can't make a user namespace: the kernel does not permit it, as in a chroot",
    remedy: "start it outside the chroot or container",
  };
}
