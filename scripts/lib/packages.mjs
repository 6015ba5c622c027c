// @ts-check
/** The machine's package manager: which one it is, and installing with it where we may. */
import { existsSync, readFileSync } from "node:fs";
import { run, which } from "./run.mjs";
import { say, shellLine } from "./say.mjs";

/**
 * @typedef {object} PackageManager
 * @property {"debian" | "fedora" | "suse" | "arch" | "alpine"} family
 * @property {readonly [string, ...string[]]} install as a person types it, before package names
 * @property {readonly string[]} [unattended] the options that make it ask nothing and say little;
 *   without them we only suggest the command and never run it ourselves
 * @property {readonly [string, ...string[]]} [refresh] what has to run before it
 */

/** @type {readonly PackageManager[]} */
const MANAGERS = [
  {
    family: "debian",
    refresh: ["apt-get", "update", "-qq"],
    install: ["apt-get", "install"],
    unattended: ["-qq", "-y", "--no-install-recommends", "-o", "Dpkg::Use-Pty=0"],
  },
  { family: "fedora", install: ["dnf", "install"], unattended: ["-q", "-y"] },
  { family: "suse", install: ["zypper", "install"] },
  { family: "arch", install: ["pacman", "-S"] },
  { family: "alpine", install: ["apk", "add"] },
];

/** @type {Readonly<Record<string, PackageManager["family"]>>} */
const FAMILIES = {
  debian: "debian",
  ubuntu: "debian",
  fedora: "fedora",
  rhel: "fedora",
  centos: "fedora",
  suse: "suse",
  opensuse: "suse",
  arch: "arch",
  alpine: "alpine",
};

/**
 * This machine's package manager, going by os-release(5); undefined for distributions that we
 * know nothing about.
 * @returns {PackageManager | undefined}
 */
export function packageManager() {
  const family = distributionNames()
    .map((name) => FAMILIES[name])
    .find((each) => each !== undefined);
  const manager = MANAGERS.find((each) => each.family === family);
  return manager !== undefined && which(manager.install[0]) !== undefined ? manager : undefined;
}

/**
 * Whether `installPackages` may be called: as root, with a manager that we know well.
 * @param {PackageManager | undefined} manager
 * @returns {manager is PackageManager}
 */
export function mayInstall(manager) {
  return manager?.unattended !== undefined && process.getuid?.() === 0;
}

/**
 * Installs system packages, saying so first.
 * @param {PackageManager} manager
 * @param {readonly string[]} packages
 * @returns {boolean} whether the manager reported success
 */
export function installPackages({ refresh, install, unattended = [] }, packages) {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  if (refresh !== undefined) {
    say(`As root: ${shellLine(refresh)}`);
    const status = run(refresh, { env });
    if (status !== 0) {
      say(`${refresh[0]} gave status ${status}; trying with the package lists that are there.`);
    }
  }
  /** @type {[string, ...string[]]} */
  const command = [...install, ...unattended, ...packages];
  say(`As root: ${shellLine(command)}`);
  return run(command, { env }) === 0;
}

/**
 * What a person would type to install packages here.
 * @param {PackageManager | undefined} manager
 * @param {readonly string[]} packages
 */
export function installAdvice(manager, packages) {
  return manager === undefined
    ? `install ${packages.join(", ")} with your package manager`
    : `sudo ${shellLine([...manager.install, ...packages])}`;
}

/** `ID` and the words of `ID_LIKE`, nearest first. */
function distributionNames() {
  const file = ["/etc/os-release", "/usr/lib/os-release"].find((path) => existsSync(path));
  const text = file === undefined ? "" : readFileSync(file, "utf8");
  return ["ID", "ID_LIKE"].flatMap((key) => {
    const value = new RegExp(`^${key}=["']?([^"'\\n]*)`, "m").exec(text)?.[1] ?? "";
    return value.split(" ").filter((word) => word !== "");
  });
}
