// @ts-check
import { join } from "node:path";
import { missingOf, versionOf } from "./peer.mjs";

/** @type {import("./peer.mjs").PeerKind} */
export const charliecloud = {
  id: "ch-convert",
  label: "ch-convert",
  reads: ["gzip"],
  find: () =>
    missingOf(["ch-convert"]) ?? {
      id: "ch-convert",
      label: "ch-convert",
      version: versionOf(["ch-convert", "--version"]),
      does: "reads no OCI image: it is given all layers as one tar.gz; checks nothing; leaves a rootfs",
      unpack: ({ flat }, directory) => ({
        // It goes by the file's name to know its compression.
        argv: [
          "sh",
          "-ec",
          'ln -s "$1" "$0/image.tar.gz"; ch-convert --tmp "$0" -i tar -o dir "$0/image.tar.gz" "$0/rootfs"',
          directory,
          flat ?? "",
        ],
        env: { CH_IMAGE_STORAGE: join(directory, "storage") },
      }),
    },
};
