// @ts-check
import { join } from "node:path";
import { TAG } from "../images/layout.mjs";
import { isRoot, missingOf, versionOf } from "./peer.mjs";

const UNPACK = isRoot ? ["unpack"] : ["unpack", "--rootless"];

/** @type {import("./peer.mjs").PeerKind} */
export const umoci = {
  id: "umoci",
  label: "umoci unpack",
  reads: ["gzip"],
  find: () =>
    missingOf(["umoci"]) ?? {
      id: "umoci",
      label: "umoci unpack",
      version: versionOf(["umoci", "--version"]),
      does: "checks blob digests and diffIDs; leaves a rootfs and a list of its files for repacking",
      unpack: ({ layout }, directory) => ({
        argv: ["umoci", ...UNPACK, "--image", `${layout}:${TAG}`, join(directory, "bundle")],
      }),
    },
};

/** @type {import("./peer.mjs").PeerKind} */
export const skopeoUmoci = {
  id: "skopeo",
  label: "skopeo copy && umoci unpack",
  reads: ["gzip"],
  find: () =>
    missingOf(["skopeo", "umoci"]) ?? {
      id: "skopeo",
      label: "skopeo copy && umoci unpack",
      version: `skopeo ${versionOf(["skopeo", "--version"])}`,
      does: "copies the layout with skopeo, as from any source, then unpacks the copy with umoci",
      unpack: ({ layout }, directory) => ({
        argv: [
          "sh",
          "-ec",
          `skopeo copy --quiet "oci:$1:${TAG}" "oci:$0/copy:${TAG}"
          umoci ${UNPACK.join(" ")} --image "$0/copy:${TAG}" "$0/bundle"`,
          directory,
          layout,
        ],
      }),
    },
};
