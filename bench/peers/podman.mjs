// @ts-check
import { join } from "node:path";
import { probe } from "../../scripts/lib/run.mjs";
import { TAG } from "../images/layout.mjs";
import { isRoot, missingOf, versionOf } from "./peer.mjs";

/** @type {import("./peer.mjs").PeerKind} */
export const podman = {
  id: "podman",
  label: "podman pull",
  reads: ["gzip", "zstd"],
  find: () =>
    missingOf(["podman", "unshare"]) ?? {
      id: "podman",
      label: "podman pull",
      version: versionOf(["podman", "--version"]),
      does: "checks blob digests and diffIDs; leaves layers in overlay storage of its own, no rootfs",
      unpack: ({ layout }, directory) => {
        const places = ["--root", join(directory, "storage"), "--runroot", join(directory, "run")];
        const podman = ["podman", ...places, "--storage-driver", "overlay"];
        // In a mount namespace of its own, so that no mount of its storage stays.
        const prefix = isRoot ? ["unshare", "--mount"] : [];
        const pull = [...prefix, ...podman, "pull", "--quiet", `oci:image:${TAG}`];
        // It calls the image by the layout's path, and not every path is an image's name.
        const link = 'cd "$0"; ln -s "$1" image; shift; exec "$@"';
        return { argv: ["sh", "-ec", link, directory, layout, ...pull] };
      },
      // What it makes for an ordinary user has owners that only its user namespace can delete.
      tidy: (directory) => {
        if (!isRoot) {
          probe(["podman", "unshare", "rm", "-rf", join(directory, "storage")]);
        }
      },
    },
};
