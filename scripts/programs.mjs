// @ts-check
/** The programs that the end-to-end tests drive, and how they get onto a machine. */
import { installAdvice, installPackages, mayInstall, packageManager } from "./lib/packages.mjs";
import { which } from "./lib/run.mjs";
import { say } from "./lib/say.mjs";

/**
 * @typedef {object} Program
 * @property {string} command what a test starts
 * @property {string} debian the Debian package that has it
 * @property {string} purpose what the tests need it for
 */

/** @type {readonly Program[]} */
const PROGRAMS = [
  { command: "bindfs", debian: "bindfs", purpose: "serves a disk by a program" },
  {
    command: "bsdtar",
    debian: "libarchive-tools",
    purpose: "packs extended attributes its own way",
  },
  { command: "bwrap", debian: "bubblewrap", purpose: "runs commands in staged images" },
  { command: "catatonit", debian: "catatonit", purpose: "passes signals on in podman's sandboxes" },
  { command: "crun", debian: "crun", purpose: "starts podman's sandboxes" },
  {
    command: "docker-registry",
    debian: "docker-registry",
    purpose: "serves images over the network",
  },
  {
    command: "getfattr",
    debian: "attr",
    purpose: "shows extended attributes; setfattr comes with it",
  },
  { command: "gzip", debian: "gzip", purpose: "compresses archives and layers" },
  { command: "htpasswd", debian: "apache2-utils", purpose: "makes a registry's list of users" },
  { command: "mkfs.btrfs", debian: "btrfs-progs", purpose: "makes a disk that has quotas" },
  { command: "mkfs.exfat", debian: "exfatprogs", purpose: "makes a disk without links" },
  { command: "mkfs.ext4", debian: "e2fsprogs", purpose: "makes a disk whose power fails" },
  { command: "mkfs.xfs", debian: "xfsprogs", purpose: "makes a disk to fill up" },
  { command: "mmdebstrap", debian: "mmdebstrap", purpose: "makes a Debian root to test with" },
  { command: "mount.exfat-fuse", debian: "exfat-fuse", purpose: "mounts a disk without links" },
  { command: "munged", debian: "munge", purpose: "tells Slurm's daemons who asks" },
  { command: "openssl", debian: "openssl", purpose: "makes certificates for registries" },
  {
    command: "patchelf",
    debian: "patchelf",
    purpose: "has newer programs find the libraries that they need",
  },
  { command: "pigz", debian: "pigz", purpose: "makes gzip streams of several members" },
  { command: "podman", debian: "podman", purpose: "runs commands in staged images" },
  { command: "prlimit", debian: "util-linux", purpose: "runs out of processes" },
  {
    command: "prometheus-node-exporter",
    debian: "prometheus-node-exporter",
    purpose: "collects metrics from a file",
  },
  { command: "runc", debian: "runc", purpose: "starts podman's sandboxes where crun can't" },
  { command: "script", debian: "bsdutils", purpose: "has programs run at a terminal" },
  { command: "setpriv", debian: "util-linux", purpose: "becomes an ordinary user" },
  { command: "shellcheck", debian: "shellcheck", purpose: "reads the generated scripts" },
  { command: "skopeo", debian: "skopeo", purpose: "converts between image formats" },
  { command: "slurmctld", debian: "slurmctld", purpose: "gives jobs their nodes" },
  { command: "slurmd", debian: "slurmd", purpose: "is a node of Slurm's" },
  { command: "srun", debian: "slurm-client", purpose: "starts jobs through Slurm" },
  { command: "strace", debian: "strace", purpose: "shows what a warm start reads" },
  { command: "tar", debian: "tar", purpose: "packs and unpacks what the tests change" },
  { command: "umoci", debian: "umoci", purpose: "makes layers, and unpacks them for comparison" },
  { command: "unshare", debian: "util-linux", purpose: "gives an ordinary user an account" },
  { command: "xfs_io", debian: "xfsprogs", purpose: "has the power of a disk fail" },
  { command: "zstd", debian: "zstd", purpose: "compresses layers with zstd" },
];

/** @returns {readonly Program[]} */
function missingPrograms() {
  return PROGRAMS.filter(({ command }) => which(command) === undefined);
}

/**
 * Installs what is missing where that is allowed, as root on a Debian-like system, and says so;
 * elsewhere says what is missing and how to get it.
 * @returns {readonly Program[]} what is still missing
 */
export function ensurePrograms() {
  const before = missingPrograms();
  const manager = packageManager();
  if (before.length > 0 && manager?.family === "debian" && mayInstall(manager)) {
    say(`Missing: ${names(before)}. Installing.`);
    installPackages(
      manager,
      before.map(({ debian }) => debian),
    );
  }
  const missing = missingPrograms();
  for (const { command, debian, purpose } of missing) {
    say(`Missing: ${command} (${purpose}; Debian package ${debian}).`);
  }
  if (missing.length > 0) {
    const debian = manager?.family === "debian";
    const wanted = missing.map((program) => (debian ? program.debian : program.command));
    say(`To have them: ${installAdvice(debian ? manager : undefined, wanted)}`);
  } else {
    say(`All there: ${names(PROGRAMS)}.`);
  }
  return missing;
}

/** @param {readonly Program[]} programs */
function names(programs) {
  return programs.map(({ command }) => command).join(", ");
}
