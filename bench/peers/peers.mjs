// @ts-check
/** All programs that stage-rootfs is compared with, and getting them onto a machine. */
import { installPackages, mayInstall, packageManager } from "../../scripts/lib/packages.mjs";
import { say } from "../../scripts/lib/say.mjs";
import { ScriptError } from "../../scripts/lib/script.mjs";
import { apptainer } from "./apptainer.mjs";
import { installApptainerPrefix } from "./apptainer-prefix.mjs";
import { charliecloud } from "./charliecloud.mjs";
import { podman } from "./podman.mjs";
import { igzipTar, pigzTar, zstdTar } from "./tar.mjs";
import { skopeoUmoci, umoci } from "./umoci.mjs";

/** The Debian packages that have the peers and all else that the bench can use. */
export const DEBIAN_PACKAGES = [
  "charliecloud",
  "isal",
  "mmdebstrap",
  "patchelf",
  "pigz",
  "podman",
  "skopeo",
  "time",
  "umoci",
  "zstd",
];

/** @type {readonly import("./peer.mjs").PeerKind[]} references first */
export const PEER_KINDS = [
  pigzTar,
  zstdTar,
  igzipTar,
  umoci,
  skopeoUmoci,
  podman,
  apptainer,
  charliecloud,
];

/**
 * The peers that are here, and for the others the reason why they are not, by their ids.
 * @returns {ReadonlyMap<string, import("./peer.mjs").Peer | string>}
 */
export function findPeers() {
  return new Map(PEER_KINDS.map((kind) => [kind.id, kind.find()]));
}

/** Installs the peers: what Debian has as packages, then Apptainer. */
export function installPeers() {
  const manager = packageManager();
  if (manager?.family !== "debian" || !mayInstall(manager)) {
    throw new ScriptError(
      `--install works as root on Debian and Ubuntu: elsewhere install what you want to compare with (${DEBIAN_PACKAGES.join(", ")}, apptainer)`,
    );
  }
  if (!installPackages(manager, DEBIAN_PACKAGES)) {
    throw new ScriptError(`${manager.install[0]} failed: see its messages above`);
  }
  if (typeof apptainer.find() === "string") {
    try {
      installApptainerPrefix();
    } catch (error) {
      say(`Apptainer could not be had: ${error instanceof Error ? error.message : error}`);
    }
  }
}
