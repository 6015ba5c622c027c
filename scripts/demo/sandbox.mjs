// @ts-check
/** Whether bwrap can start a sandbox here, after installing it where we may. */
import { existsSync, readFileSync } from "node:fs";
import { installAdvice, installPackages, mayInstall, packageManager } from "../lib/packages.mjs";
import { probe, which } from "../lib/run.mjs";
import { say } from "../lib/say.mjs";

/**
 * Why there is no sandbox, and what to do about it.
 * @typedef {{ reason: string, advice: string }} Obstacle
 */

/** Kernel settings that forbid user namespaces, and the value that does. */
const SETTINGS = [
  { path: "/proc/sys/user/max_user_namespaces", forbids: "0", set: "15000" },
  { path: "/proc/sys/kernel/unprivileged_userns_clone", forbids: "0", set: "1" },
  { path: "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", forbids: "1", set: "0" },
];

/**
 * @returns {Obstacle | undefined} undefined when bwrap works
 */
export function prepareSandbox() {
  const manager = packageManager();
  if (which("bwrap") === undefined && mayInstall(manager)) {
    say("bwrap (bubblewrap) is missing; installing it.");
    installPackages(manager, ["bubblewrap"]);
  }
  const bwrap = which("bwrap");
  if (bwrap === undefined) {
    return {
      reason: "bwrap (bubblewrap) is not installed",
      advice: installAdvice(manager, ["bubblewrap"]),
    };
  }
  return tryOut(bwrap);
}

/**
 * @param {string} bwrap
 * @returns {Obstacle | undefined}
 */
function tryOut(bwrap) {
  const sandbox = ["--unshare-all", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev"];
  const { status, stderr } = probe([bwrap, ...sandbox, "/bin/sh", "-c", ":"]);
  if (status === 0) {
    return undefined;
  }
  return {
    reason: `${bwrap} can't make a sandbox here: ${stderr.trim() || `status ${status}`}`,
    advice: namespaceAdvice(),
  };
}

function namespaceAdvice() {
  const setting = SETTINGS.find(
    ({ path, forbids }) => existsSync(path) && readFileSync(path, "utf8").trim() === forbids,
  );
  if (setting === undefined) {
    return "allow user namespaces; inside a container, that is a setting of the container (docker run --privileged, or a seccomp profile that allows them)";
  }
  const name = setting.path.replace("/proc/sys/", "").replaceAll("/", ".");
  return `sudo sysctl ${name}=${setting.set} allows it until the next boot (now ${setting.forbids})`;
}
